{{/* What everything is called: the release, unless it is named after the chart already. */}}
{{- define "eco2.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-{{ .Chart.Name }}{{ end -}}
{{- end }}

{{/* Labels that select the pods of one component. Takes a list: root, component. */}}
{{- define "eco2.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ $root.Chart.Name }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* All labels of a component. Takes a list: root, component. */}}
{{- define "eco2.labels" -}}
{{- $root := index . 0 -}}
{{ include "eco2.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end }}

{{/* A service's full gRPC name. Takes its short one: scan -> eco2.scan.v1.ScanService; one contract is Envoy's. */}}
{{- define "eco2.grpcName" -}}
{{- if eq . "ratelimit" -}}
envoy.service.ratelimit.v3.RateLimitService
{{- else -}}
{{ printf "eco2.%s.v1.%sService" . (title .) }}
{{- end -}}
{{- end }}

{{/* The port all services listen on. */}}
{{- define "eco2.port" -}}50051{{- end }}

{{/* The port of their health alone, without TLS. */}}
{{- define "eco2.healthPort" -}}50052{{- end }}

{{/* Where a holder's certificate is mounted. */}}
{{- define "eco2.tlsFolder" -}}/etc/eco2-tls{{- end }}

{{/* The Secret of a holder's certificate. Takes a list: root, holder. */}}
{{- define "eco2.tlsSecret" -}}
{{- $root := index . 0 -}}
{{- index $root.Values.tls.secrets (index . 1) | default (printf "%s-%s-tls" (include "eco2.name" $root) (index . 1)) -}}
{{- end }}
