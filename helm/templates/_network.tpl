{{/* Who reaches a component's pods, and whom they reach. Takes a list: root, and of the policy
  component, port  whose it is, and the name of the port that callers use
  open             whether anybody may call
  clients          components that may
  allowFrom        others that may, as a NetworkPolicy names them
  callees          components that it calls
  values           its own: `secrets`, `allowTo`, `internet`
*/}}
{{- define "eco2.networkPolicy" -}}
{{- $root := index . 0 }}
{{- $policy := index . 1 }}
{{- $egress := $root.Values.networkPolicy.egress }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{ include "eco2.metadata" (list $root $policy.component) | nindent 2 }}
spec:
  podSelector:
    matchLabels: {{ include "eco2.selector" (list $root $policy.component) | nindent 6 }}
  policyTypes: [Ingress{{ if $egress.enabled }}, Egress{{ end }}]
  {{- $rules := list }}
  {{- /* An empty `from` would mean everybody. */}}
  {{- if $policy.open }}
  {{- $rules = append $rules (dict "ports" (list (dict "port" $policy.port))) }}
  {{- else }}
  {{- with concat (include "eco2.peers" (list $root $policy.clients) | fromYamlArray) ($policy.allowFrom | default list) }}
  {{- $rules = append $rules (dict "from" . "ports" (list (dict "port" $policy.port))) }}
  {{- end }}
  {{- end }}
  {{- if and $root.Values.metrics.enabled $root.Values.metrics.allowFrom }}
  {{- $rules = append $rules (dict "from" $root.Values.metrics.allowFrom "ports" (list (dict "port" "metrics"))) }}
  {{- end }}
  ingress: {{ toYaml $rules | nindent 4 }}
  {{- if $egress.enabled }}
  egress: {{ include "eco2.egress" . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* Components' pods, as a NetworkPolicy names them. Takes a list: root, components. */}}
{{- define "eco2.peers" -}}
{{- $root := index . 0 }}
{{- range index . 1 }}
- podSelector: {matchLabels: {{ include "eco2.selector" (list $root .) | fromYaml | toJson }}}
{{- else -}}
[]
{{- end }}
{{- end }}

{{/* Where a component's pods may go: to ask for names, to whom they call, to the stores whose secrets they have, to
where telemetry is collected, and out into the world if what they do takes that. Takes what eco2.networkPolicy does. */}}
{{- define "eco2.egress" -}}
{{- $root := index . 0 }}
{{- $policy := index . 1 }}
{{- $egress := $root.Values.networkPolicy.egress }}
{{- $rules := list (dict "to" $egress.dns "ports" (list (dict "port" 53 "protocol" "UDP") (dict "port" 53 "protocol" "TCP"))) }}
{{- range $callee := $policy.callees }}
{{- $rules = append $rules (dict "to" (include "eco2.peers" (list $root (list $callee)) | fromYamlArray) "ports" (list (dict "port" (ternary "http" "grpc" (eq $callee "edge"))))) }}
{{- end }}
{{- range $name := $policy.values.secrets | default list }}
{{- with get $egress.stores $name }}{{ $rules = append $rules . }}{{ end }}
{{- end }}
{{- if $root.Values.telemetry.otlpEndpoint }}{{ $rules = append $rules $egress.telemetry }}{{ end }}
{{- if $policy.values.internet }}
{{- $world := dict "ipBlock" (dict "cidr" "0.0.0.0/0" "except" $egress.inside) }}
{{- $rules = append $rules (dict "to" (list $world) "ports" (list (dict "port" 443) (dict "port" 80))) }}
{{- end }}
{{- concat $rules ($policy.values.allowTo | default list) | toYaml }}
{{- end }}
