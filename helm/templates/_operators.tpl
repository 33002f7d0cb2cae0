{{/* The operators' edge's configuration: envoy/operators.yaml with its placeholders filled in, as an Envoy of its own. Takes root. */}}
{{- define "eco2.operators" -}}
{{- $name := include "eco2.name" . -}}
{{- $scan := printf "{address: %s-scan, port_value: %s}" $name (include "eco2.port" .) -}}
{{- $tls := .Files.Get "files/upstream.json" | fromJson | toJson | replace "${SERVICE}" "scan" | replace "${TLS_CONFIG}" "/etc/eco2" -}}
{{- $values := dict
  "OPERATORS_HOST" "0.0.0.0"
  "OPERATORS_PORT" 8080
  "SCAN_ENDPOINTS" (printf "[{endpoint: {address: {socket_address: %s}}}]" $scan)
  "OPERATIONS_TLS" (ternary $tls "null" .Values.tls.enabled)
  "DESCRIPTOR_PATH" "/etc/eco2/eco2.binpb"
  "LUA_PATH" "/etc/eco2/edge.lua"
  "PAGE_FOLDER" "/etc/eco2-page"
  "TRACE_URL" .Values.operators.traceUrl
  "JWT_ISSUER" .Values.jwt.issuer
  "JWT_AUDIENCE" .Values.jwt.audience
  "LOCAL_JWKS" "null"
  "REMOTE_JWKS" "null" -}}
{{- $configuration := .Files.Get "files/operators.yaml" -}}
{{- if .Values.jwt.jwks -}}
{{- $_ := set $values "LOCAL_JWKS" (dict "inline_string" (.Values.jwt.jwks | toJson) | toJson) -}}
{{- else if .Values.jwt.jwksUri -}}
{{- $_ := set $values "REMOTE_JWKS" (include "eco2.remoteKeys" .) -}}
{{- $configuration = print $configuration (include "eco2.issuerCluster" .) -}}
{{- else -}}
{{- $_ := set $values "REMOTE_JWKS" (printf "{http_uri: {uri: \"http://%s-edge/.well-known/jwks.json\", cluster: edge, timeout: 5s}, cache_duration: 300s, async_fetch: {}}" $name) -}}
{{- $configuration = print $configuration (include "eco2.edgeCluster" .) -}}
{{- end -}}
{{- range $placeholder, $value := $values -}}
{{- $configuration = replace (printf "${%s}" $placeholder) (toString $value) $configuration -}}
{{- end -}}
{{- if contains "${" $configuration }}{{ fail "operators.yaml has a placeholder that templates/_operators.tpl gives no value" }}{{ end -}}
node: {id: operators-edge, cluster: eco2}
admin: {address: {socket_address: {address: 127.0.0.1, port_value: 9901}}}
{{ $configuration -}}
{{- end }}

{{/* Where Auth's keys are fetched: the public edge. One more entry of `clusters`, the last key of operators.yaml. Takes root. */}}
{{- define "eco2.edgeCluster" }}
    - name: edge
      type: STRICT_DNS
      load_assignment:
        cluster_name: edge
        endpoints:
          - lb_endpoints: [{endpoint: {address: {socket_address: {address: {{ include "eco2.name" . }}-edge, port_value: {{ .Values.edge.service.port }}}}}}]
{{ end }}
