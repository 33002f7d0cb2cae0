{{/* The table of limits, with what the values change of it, as JSON. Takes root. */}}
{{- define "eco2.limits" -}}
{{- mergeOverwrite (.Files.Get "files/limits.yaml" | fromYaml) (deepCopy .Values.limits) | toJson -}}
{{- end }}

{{/* What the placeholders for limits in edge.yaml stand for, as local/stack/limits.py says it; JSON. Takes root. */}}
{{- define "eco2.limitPlaceholders" -}}
{{- $limits := include "eco2.limits" . | fromJson -}}
{{- $address := dict "key" "masked_remote_address" -}}
{{- $byAddress := list
  (include "eco2.limitBucket" (list $limits.any.address (list $address)) | fromJson)
  (include "eco2.limitBucket" (list $limits.without_token.address (list (dict "key" "token" "value" "none") $address)) | fromJson) -}}
{{- $byRpc := list -}}
{{- $shared := list -}}
{{- $input := dict "@type" "type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput" "header_name" ":path" -}}
{{- range $limit := $limits -}}
{{- range $rpc := $limit.rpcs -}}
{{- $entry := dict "key" "rpc" "value" (printf "/%s" $rpc) -}}
{{- range $subject, $key := dict "user" "user" "address" "masked_remote_address" -}}
{{- with get $limit $subject -}}
{{- $number := ternary (max 60 (mul 2 .)) (int64 .) (default false $limit.shared) -}}
{{- $byRpc = append $byRpc (include "eco2.limitBucket" (list $number (list $entry (dict "key" $key))) | fromJson) -}}
{{- end -}}
{{- end -}}
{{- if $limit.shared -}}
{{- $matched := dict "name" "path" "typed_config" $input -}}
{{- $shared = append $shared (dict "single_predicate" (dict "input" $matched "value_match" (dict "exact" $entry.value))) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- dict "ADDRESS_LIMITS" ($byAddress | toJson) "RPC_LIMITS" ($byRpc | toJson) "SHARED_RPCS" ($shared | toJson) | toJson -}}
{{- end }}

{{/* A token bucket of the edge, as JSON. Takes a list: calls in a minute, entries. */}}
{{- define "eco2.limitBucket" -}}
{{- $number := int64 (index . 0) -}}
{{- dict "entries" (index . 1) "token_bucket" (dict "max_tokens" $number "tokens_per_fill" $number "fill_interval" "60s") | toJson -}}
{{- end }}
