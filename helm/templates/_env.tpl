{{/* A setting as the environment holds it: whole numbers without an exponent, which YAML's large ones come back with. */}}
{{- define "eco2.text" -}}
{{- if and (kindIs "float64" .) (eq . (floor .)) (lt . 1e15) (gt . -1e15) -}}
{{ . | int64 | toString | quote }}
{{- else -}}
{{ . | toString | quote }}
{{- end -}}
{{- end }}

{{/* Variables out of existing Secrets. Takes a list: root, names among `secrets`. */}}
{{- define "eco2.secretEnv" -}}
{{- $root := index . 0 -}}
{{- range $name := index . 1 }}
{{- $secret := index $root.Values.secrets $name }}
{{- if not $secret }}{{ fail (printf "there is no secrets.%s, which a component names" $name) }}{{ end }}
{{- if ne $secret.enabled false }}
{{- range $variable, $key := include "eco2.keys" $secret | fromJson }}
- name: {{ $variable }}
  valueFrom: {secretKeyRef: {name: {{ $secret.existingSecret | quote }}, key: {{ $key | quote }}{{ if $secret.optional }}, optional: true{{ end }}}}
{{- end }}
{{- /* After those that they are made of. */}}
{{- range $variable, $value := $secret.composed }}
- {name: {{ $variable }}, value: {{ $value | quote }}}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Which variable comes from which key of a Secret; those that are composed don't. Takes one of `secrets`; JSON. */}}
{{- define "eco2.keys" -}}
{{- $keys := deepCopy .env -}}
{{- range $variable, $_ := .composed }}{{ $_ := unset $keys $variable }}{{ end -}}
{{- $keys | toJson -}}
{{- end }}

{{/* `env` and `envFrom` of a container: what the chart gives, and over it what the values add. Takes a list: the chart's
part, its placement. */}}
{{- define "eco2.env" -}}
{{- $placement := index . 1 -}}
{{- $names := list -}}
{{- $extra := $placement.extraEnv | default list -}}
{{- range $extra }}{{ $names = append $names .name }}{{ end -}}
{{- $own := list -}}
{{- range index . 0 | fromYamlArray }}{{ if not (has .name $names) }}{{ $own = append $own . }}{{ end }}{{ end -}}
{{- with concat $own $extra }}
env: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with $placement.extraEnvFrom }}
envFrom: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Settings as variables. Takes maps of them as a list, the later ones over the earlier. */}}
{{- define "eco2.settingsEnv" -}}
{{- $settings := dict -}}
{{- range . }}{{ range $field, $value := . }}{{ $_ := set $settings $field $value }}{{ end }}{{ end -}}
{{- range $field, $value := $settings }}
- {name: ECO2_{{ upper $field }}, value: {{ include "eco2.text" $value }}}
{{- end }}
{{- end }}

{{/* All variables of a service or worker that the chart gives. Takes a list: root, one of eco2.components. */}}
{{- define "eco2.serviceEnv" -}}
{{- $root := index . 0 }}
{{- $component := index . 1 }}
{{- /* onnxruntime reads it; see docs/operations.md. */ -}}
- {name: ORT_DISABLE_TELEMETRY, value: "1"}
- {name: ECO2_LISTEN, value: "[::]:{{ include "eco2.port" $root }}"}
- {name: ECO2_HEALTH_LISTEN, value: "[::]:{{ include "eco2.healthPort" $root }}"}
{{- if $root.Values.metrics.enabled }}
- {name: ECO2_METRICS_ADDRESS, value: "[::]:{{ include "eco2.metricsPort" $root }}"}
{{- end }}
{{- if $root.Values.tls.enabled }}
- {name: ECO2_TLS_CERT, value: {{ include "eco2.tlsFolder" . }}/tls.crt}
- {name: ECO2_TLS_KEY, value: {{ include "eco2.tlsFolder" . }}/tls.key}
- {name: ECO2_TLS_CA, value: {{ include "eco2.tlsFolder" . }}/ca.crt}
{{- end }}
{{- with $component.role }}
- {name: ECO2_SCAN_ROLE, value: {{ . }}}
{{- end }}
{{- with $component.stages }}
- {name: ECO2_STAGES_HERE, value: {{ . | quote }}}
{{- end }}
{{- include "eco2.settingsEnv" (list $root.Values.settings $component.values.settings) }}
{{- if eq $component.name "auth" }}
- {name: ECO2_AUTH_ISSUER, value: {{ $root.Values.jwt.issuer | quote }}}
- {name: ECO2_AUTH_AUDIENCE, value: {{ $root.Values.jwt.audience | quote }}}
{{- end }}
{{- if eq $component.name "ratelimit" }}
- {name: ECO2_LIMITS, value: {{ $root.Values.limits | toJson | quote }}}
{{- end }}
{{- range $component.values.peers }}
- {name: ECO2_{{ upper . }}_TARGET, value: "dns:///{{ include "eco2.name" $root }}-{{ . }}:{{ include "eco2.port" $root }}"}
{{- end }}
{{- include "eco2.telemetryEnv" (list $root $component.name) }}
{{- include "eco2.secretEnv" (list $root $component.values.secrets) }}
{{- end }}

{{/* Where spans and metrics go by OTLP, with the pod's name among what they say. Takes a list: root, component. */}}
{{- define "eco2.telemetryEnv" -}}
{{- $root := index . 0 }}
{{- with $root.Values.telemetry }}
{{- if .otlpEndpoint }}
- {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ .otlpEndpoint | quote }}}
{{- with .headersSecret.name }}
- name: OTEL_EXPORTER_OTLP_HEADERS
  valueFrom: {secretKeyRef: {name: {{ . | quote }}, key: {{ $root.Values.telemetry.headersSecret.key | quote }}}}
{{- end }}
- {name: OTEL_TRACES_SAMPLER, value: parentbased_traceidratio}
- {name: OTEL_TRACES_SAMPLER_ARG, value: {{ .sampleRatio | toString | quote }}}
{{ include "eco2.resourceEnv" $ }}
{{- end }}
{{- end }}
{{- end }}

{{/* What spans say of the pod they come from; Envoy reads it as well. Takes a list: root, component. */}}
{{- define "eco2.resourceEnv" -}}
- {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
- {name: OTEL_RESOURCE_ATTRIBUTES, value: "k8s.pod.name=$(POD_NAME),k8s.namespace.name={{ (index . 0).Release.Namespace }},k8s.deployment.name={{ include "eco2.name" (index . 0) }}-{{ index . 1 }}"}
{{- end }}
