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
{{- $shares := list -}}
{{- $asked := list -}}
{{- $beyond := include "eco2.headerIs" (list "eco2-beyond-share" "true") | fromJson -}}
{{- range $limit := $limits -}}
{{- $counted := list -}}
{{- range $subject, $key := dict "user" "user" "address" "masked_remote_address" -}}
{{- with get $limit $subject -}}
{{- $counted = append $counted (dict "key" (dict "key" $key) "most" (int64 .)) -}}
{{- end -}}
{{- end -}}
{{- $hasShare := default false $limit.shared -}}
{{- range $counted -}}
{{- $hasShare = and $hasShare (gt (div .most 20) 0) -}}
{{- end -}}
{{- range $rpc := $limit.rpcs -}}
{{- $entry := dict "key" "rpc" "value" (printf "/%s" $rpc) -}}
{{- range $counted -}}
{{- $alone := ternary (max 60 (mul 2 .most)) .most (default false $limit.shared) -}}
{{- $byRpc = append $byRpc (include "eco2.limitBucket" (list $alone (list $entry .key)) | fromJson) -}}
{{- if $hasShare -}}
{{- $shares = append $shares (include "eco2.limitBucket" (list (div .most 20) (list $entry .key)) | fromJson) -}}
{{- end -}}
{{- end -}}
{{- if $limit.shared -}}
{{- $called := include "eco2.headerIs" (list ":path" $entry.value) | fromJson -}}
{{- $asked = append $asked (ternary (dict "and_matcher" (dict "predicate" (list $called $beyond))) $called $hasShare) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- dict "ADDRESS_LIMITS" ($byAddress | toJson) "RPC_LIMITS" ($byRpc | toJson) "SHARES" ($shares | toJson) "ASKED_RPCS" ($asked | toJson) | toJson -}}
{{- end }}

{{/* A predicate of Envoy's matchers, as JSON. Takes a list: a header, its value. */}}
{{- define "eco2.headerIs" -}}
{{- $header := dict "@type" "type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput" "header_name" (index . 0) -}}
{{- dict "single_predicate" (dict "input" (dict "name" "header" "typed_config" $header) "value_match" (dict "exact" (index . 1))) | toJson -}}
{{- end }}

{{/* A token bucket of the edge, as JSON. Takes a list: calls in a minute, entries. */}}
{{- define "eco2.limitBucket" -}}
{{- $number := int64 (index . 0) -}}
{{- dict "entries" (index . 1) "token_bucket" (dict "max_tokens" $number "tokens_per_fill" $number "fill_interval" "60s") | toJson -}}
{{- end }}
