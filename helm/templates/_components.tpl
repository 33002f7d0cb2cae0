{{/* Values laid over others: maps by key, everything else replaced; unlike `merge`, false and 0 count. Takes a list: what
is below, what is above. JSON. */}}
{{- define "eco2.overlay" -}}
{{- $laid := deepCopy (index . 0) -}}
{{- range $key, $value := index . 1 -}}
{{- if and (kindIs "map" $value) (kindIs "map" (get $laid $key)) -}}
{{- $_ := set $laid $key (include "eco2.overlay" (list (get $laid $key) $value) | fromJson) -}}
{{- else -}}
{{- $_ := set $laid $key $value -}}
{{- end -}}
{{- end -}}
{{- $laid | toJson -}}
{{- end }}

{{/* The processes of the mesh, as JSON: `all`, a list. Each has
  name     of the component: what its Deployment is called
  program  package that it runs: scan for the workers
  holder   whose certificate it has: worker for all workers
  role     ECO2_SCAN_ROLE, empty if it isn't Scan
  stages   ECO2_STAGES_HERE, empty for all
  values   those of `services`, a group of workers' laid over the workers'
Takes root. */}}
{{- define "eco2.components" -}}
{{- $all := list -}}
{{- $worker := .Values.services.worker -}}
{{- range $name, $values := omit .Values.services "worker" -}}
{{- $role := "" -}}
{{- if eq $name "scan" }}{{ $role = ternary "api" "all" $worker.enabled }}{{ end -}}
{{- $all = append $all (dict "name" $name "program" $name "holder" $name "role" $role "stages" "" "values" $values) -}}
{{- end -}}
{{- if $worker.enabled -}}
{{- $shared := dict "program" "scan" "holder" "worker" "role" "worker" -}}
{{- range $name, $group := $worker.groups -}}
{{- $values := include "eco2.overlay" (list (omit $worker "groups") (omit $group "stages")) | fromJson -}}
{{- $all = append $all (merge (dict "name" (printf "worker-%s" $name) "stages" (join "," $group.stages) "values" $values) $shared) -}}
{{- else -}}
{{- $all = append $all (merge (dict "name" "worker" "stages" "" "values" (omit $worker "groups")) $shared) -}}
{{- end -}}
{{- end -}}
{{- dict "all" $all | toJson -}}
{{- end }}
