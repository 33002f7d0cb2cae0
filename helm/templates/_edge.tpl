{{/* The edge's configuration: envoy/edge.yaml with its placeholders filled in. Takes root. */}}
{{- define "eco2.edge" -}}
{{- $name := include "eco2.name" . -}}
{{- $values := dict "REST_HOST" "0.0.0.0" "REST_PORT" 8080 "ADMIN_PORT" 9901 "METRICS_HOST" "0.0.0.0" "METRICS_PORT" 9464 -}}
{{- range $service := list "scan" "rules" "character" "auth" "ratelimit" -}}
{{- $address := printf "{address: %s-%s, port_value: %s}" $name $service (include "eco2.port" $) -}}
{{- $_ := set $values (printf "%s_ENDPOINTS" (upper $service)) (printf "[{endpoint: {address: {socket_address: %s}}}]" $address) -}}
{{- $tls := $.Files.Get "files/upstream.json" | fromJson | toJson | replace "${SERVICE}" $service | replace "${TLS_CONFIG}" "/etc/eco2" -}}
{{- $_ := set $values (printf "%s_TLS" (upper $service)) (ternary $tls "null" $.Values.tls.enabled) -}}
{{- end -}}
{{- $_ := set $values "DESCRIPTOR_PATH" "/etc/eco2/eco2.binpb" -}}
{{- $_ := set $values "LUA_PATH" "/etc/eco2/edge.lua" -}}
{{- $_ := set $values "OPENAPI_PATH" "/etc/eco2/openapi.yaml" -}}
{{- $_ := set $values "REFERENCE_PATH" "/etc/eco2/reference.html" -}}
{{- $_ := set $values "MAX_HEAP_BYTES" (mul .Values.edge.heapMebibytes 1048576) -}}
{{- $_ := set $values "JWT_ISSUER" .Values.jwt.issuer -}}
{{- $_ := set $values "JWT_AUDIENCE" .Values.jwt.audience -}}
{{- $_ := set $values "LOCAL_JWKS" "null" -}}
{{- $_ := set $values "REMOTE_JWKS" "null" -}}
{{- $origins := list -}}
{{- range .Values.edge.corsOrigins -}}
{{- $origins = append $origins (dict "safe_regex" (dict "regex" (regexQuoteMeta . | replace ":\\*" ":[0-9]{1,5}" | replace "\\*" "[^/:@]*"))) -}}
{{- end -}}
{{- $_ := set $values "CORS_ORIGINS" ($origins | toJson) -}}
{{- $_ := set $values "TRUSTED_HOPS" (int .Values.edge.trustedHops) -}}
{{- $values = merge $values (include "eco2.limitPlaceholders" . | fromJson) (include "eco2.pagePlaceholders" . | fromJson) -}}
{{- $edge := .Files.Get "files/edge.yaml" -}}
{{- if .Values.jwt.jwks -}}
{{- $_ := set $values "LOCAL_JWKS" (dict "inline_string" (.Values.jwt.jwks | toJson) | toJson) -}}
{{- else -}}
{{- $_ := set $values "REMOTE_JWKS" (include "eco2.remoteKeys" .) -}}
{{- end -}}
{{- $_ := set $values "TRACING" "null" -}}
{{- $address := urlParse .Values.telemetry.otlpEndpoint -}}
{{- if eq $address.scheme "http" -}}
{{- $port := trimPrefix ":" (trimPrefix $address.hostname $address.host) | default "4317" -}}
{{- $tracing := $.Files.Get "files/tracing.json" | replace "${PERCENT}" (mulf 100 $.Values.telemetry.sampleRatio | toString) -}}
{{- $_ := set $values "TRACING" ($tracing | fromJson | toJson) -}}
{{- $cluster := $.Files.Get "files/telemetry-cluster.json" | replace "${HOST}" $address.hostname | replace "${PORT}" $port -}}
{{- $edge = printf "%s    - %s\n" $edge ($cluster | fromJson | toJson) -}}
{{- end -}}
{{- if .Values.jwt.jwksUri }}{{ $edge = printf "%s%s" $edge (include "eco2.issuerCluster" .) }}{{ end -}}
{{- range $placeholder, $value := $values -}}
{{- $edge = replace (printf "${%s}" $placeholder) (toString $value) $edge -}}
{{- end -}}
{{- if contains "${" $edge }}{{ fail "edge.yaml has a placeholder that templates/_edge.tpl gives no value" }}{{ end -}}
{{- $edge -}}
{{- end }}

{{/* Keys fetched from the issuer, or from Auth through the edge itself, and again every five minutes. Takes root. */}}
{{- define "eco2.remoteKeys" -}}
{{- if .Values.jwt.jwksUri -}}
{http_uri: {uri: "{{ .Values.jwt.jwksUri }}", cluster: issuer, timeout: 5s}, cache_duration: 300s, async_fetch: {}}
{{- else -}}
{http_uri: {uri: "http://127.0.0.1:8080/.well-known/jwks.json", cluster: edge, timeout: 5s}, cache_duration: 300s, async_fetch: {fast_listener: true}}
{{- end -}}
{{- end }}

{{/* Where they are fetched: one more entry of `clusters`, the last key of edge.yaml. Takes root. */}}
{{- define "eco2.issuerCluster" -}}
{{- $address := urlParse .Values.jwt.jwksUri }}
{{- $host := $address.hostname }}
{{- $port := trimPrefix ":" (trimPrefix $host $address.host) | default "443" }}
    - name: issuer
      type: STRICT_DNS
      load_assignment:
        cluster_name: issuer
        endpoints:
          - lb_endpoints: [{endpoint: {address: {socket_address: {address: "{{ $host }}", port_value: {{ $port }}}}}}]
      transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
          sni: "{{ $host }}"
          common_tls_context:
            validation_context:
              trusted_ca: {filename: /etc/ssl/certs/ca-certificates.crt}
              match_typed_subject_alt_names: [{san_type: DNS, matcher: {exact: "{{ $host }}"}}]
{{ end }}
