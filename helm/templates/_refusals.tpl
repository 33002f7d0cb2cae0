{{/* What the schema can't see: values that are each valid and together aren't, and those that have another name now.
Takes root. */}}
{{- define "eco2.refuse" -}}
{{- include "eco2.refuseRenamed" . -}}
{{- if and .Values.jwt.jwks .Values.jwt.jwksUri }}
{{- fail "give jwt.jwks, the public keys, or jwt.jwksUri, where they are; or neither, and Auth's are used" }}
{{- end }}
{{- range $component := (include "eco2.components" . | fromJson).all }}
{{- include "eco2.refuseScaling" (list $component.name $component.values.autoscaling) -}}
{{- end }}
{{- include "eco2.refuseScaling" (list "edge" .Values.edge.autoscaling) -}}
{{- include "eco2.refuseGroups" . -}}
{{- include "eco2.refuseSettings" . -}}
{{- include "eco2.refuseAccounts" . -}}
{{- include "eco2.refuseObjects" . -}}
{{- end }}

{{/* Renamed values. Takes root. */}}
{{- define "eco2.refuseRenamed" -}}
{{- if hasKey .Values.operators "from" }}{{ fail "operators.from is called operators.allowFrom now (helm/UPGRADING.md)" }}{{ end }}
{{- range $name := list "scan" "worker" }}
{{- $service := index $.Values.services $name }}
{{- if hasKey $service "program" }}
{{- fail (printf "services.%s.program is no more: workers are Scan's without being told (helm/UPGRADING.md)" $name) }}
{{- end }}
{{- if and (eq $name "worker") (hasKey $service "public") }}
{{- fail "services.worker.public is no more: nobody calls a worker (helm/UPGRADING.md)" }}
{{- end }}
{{- if hasKey $service.settings "scan_role" }}
{{- fail (printf "services.%s.settings.scan_role is no more: services.worker.enabled says whether Scan's pods work on scans themselves (helm/UPGRADING.md)" $name) }}
{{- end }}
{{- end }}
{{- end }}

{{/* Settings that nobody would read: misspelt ones, or another service's. Takes root. */}}
{{- define "eco2.refuseSettings" -}}
{{- $known := .Files.Get "files/settings.json" | fromJson }}
{{- $all := list }}
{{- range $known }}{{ $all = concat $all . }}{{ end }}
{{- range $field, $_ := .Values.settings }}
{{- if not (has $field $all) }}{{ fail (printf "settings.%s: no service has this setting" $field) }}{{ end }}
{{- end }}
{{- range $component := append (include "eco2.components" . | fromJson).all (dict "name" "bucket" "program" "bucket" "values" .Values.bucket) }}
{{- range $field, $_ := $component.values.settings }}
{{- if not (has $field (get $known $component.program)) }}
{{- fail (printf "settings of %s: it has none called %s" $component.name $field) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Takes a list: a component's name, its `autoscaling`. */}}
{{- define "eco2.refuseScaling" -}}
{{- with index . 1 }}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) }}
{{- fail (printf "autoscaling of %s: minReplicas %d is more than maxReplicas %d" (index $ 0) (int .minReplicas) (int .maxReplicas)) }}
{{- end }}
{{- if and .enabled (hasKey . "prometheus") (not .prometheus.address) }}
{{- fail (printf "autoscaling of %s: prometheus.address is where KEDA asks for the queue, such as http://prometheus.monitoring:9090" (index $ 0)) }}
{{- end }}
{{- end }}
{{- end }}

{{/* Groups of workers that leave a stage to nobody. Takes root. */}}
{{- define "eco2.refuseGroups" -}}
{{- if .Values.services.worker.groups }}
{{- $here := list }}
{{- range $name, $group := .Values.services.worker.groups }}
{{- $here = concat $here $group.stages }}
{{- if and (has "places" $group.stages) (not (has "answer" $group.stages)) }}
{{- fail (printf "services.worker.groups.%s: places are looked up with the answer, so whoever has that stage has answer too" $name) }}
{{- end }}
{{- end }}
{{- range $stage := include "eco2.stages" . | splitList " " }}
{{- if not (has $stage $here) }}
{{- fail (printf "services.worker.groups: no group has the stage %s, at which scans would stop" $stage) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* The stages of a scan, as ECO2_STAGES_HERE names them. */}}
{{- define "eco2.stages" -}}vision rules answer places reward{{- end }}

{{/* Accounts of one name that several components would make. Takes root. */}}
{{- define "eco2.refuseAccounts" -}}
{{- if and .Values.defaults.serviceAccount.create .Values.defaults.serviceAccount.name }}
{{- fail "defaults.serviceAccount.name: an account of everybody must exist already, so create: false" }}
{{- end }}
{{- $made := list }}
{{- $all := list .Values.edge .Values.operators .Values.migration .Values.bucket .Values.tests }}
{{- range (include "eco2.components" . | fromJson).all }}{{ $all = append $all .values }}{{ end }}
{{- range $all }}
{{- $account := (include "eco2.placement" (list $ .) | fromJson).serviceAccount }}
{{- if and $account.create $account.name }}
{{- if has $account.name $made }}{{ fail (printf "serviceAccount.name %s: several components would make it; let one, and give the others create: false" $account.name) }}{{ end }}
{{- $made = append $made $account.name }}
{{- end }}
{{- end }}
{{- end }}

{{/* Routes that no Gateway would take, monitors that would scrape twice, secrets from nowhere. Takes root. */}}
{{- define "eco2.refuseObjects" -}}
{{- $http := .Values.gateway.http }}
{{- $grpc := .Values.gateway.grpc }}
{{- range $kind, $route := .Values.gateway }}
{{- if and $route.enabled (not $route.parentRefs) }}{{ fail (printf "gateway.%s.parentRefs: which Gateway?" $kind) }}{{ end }}
{{- end }}
{{- if $grpc.enabled }}
{{- if not $grpc.hostnames }}{{ fail "gateway.grpc.hostnames: a GRPCRoute takes hostnames of its own" }}{{ end }}
{{- if and $http.enabled (not $http.hostnames) }}{{ fail "gateway.http.hostnames: without any, the HTTPRoute has those of gateway.grpc too" }}{{ end }}
{{- range $grpc.hostnames }}
{{- if and $http.enabled (has . $http.hostnames) }}{{ fail (printf "gateway: %s is a hostname of both routes; Gateways take it for one of them" .) }}{{ end }}
{{- end }}
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) }}{{ fail "ingress.hosts: which?" }}{{ end }}
{{- if and .Values.metrics.serviceMonitor.enabled .Values.metrics.podMonitor.enabled }}
{{- fail "metrics: serviceMonitor or podMonitor; with both every pod is scraped twice" }}
{{- end }}
{{- range $name, $secret := .Values.secrets }}
{{- if and (ne $secret.enabled false) (dig "external" "key" "" $secret) (not $.Values.externalSecrets.store.name) }}
{{- fail (printf "externalSecrets.store.name: from which store does secrets.%s come?" $name) }}
{{- end }}
{{- end }}
{{- end }}
