{{/* What every pod has: no account token, no root, no environment of neighbours. Takes root. */}}
{{- define "eco2.podDefaults" -}}
automountServiceAccountToken: false
# A Service called x-scan would inject X_SCAN_PORT=tcp://… into every pod of the namespace.
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* What every container has. */}}
{{- define "eco2.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* The services' image. Takes root. */}}
{{- define "eco2.image" -}}
{{ printf "%s:%s" .Values.image.repository .Values.image.tag }}
{{- end }}

{{/* The volume of a holder's certificate. Takes a list: root, holder. */}}
{{- define "eco2.tlsVolume" -}}
- {name: tls, secret: {secretName: {{ include "eco2.tlsSecret" . }}, defaultMode: 0440}}
{{- end }}

{{/* Variables out of existing secrets. Takes a list: root, names of secrets. */}}
{{- define "eco2.secretEnv" -}}
{{- $root := index . 0 -}}
{{- range index . 1 }}
{{- $secret := required (printf "no secret called %s" .) (index $root.Values.secrets .) }}
{{- range $variable, $key := $secret.env }}
- name: {{ $variable }}
  valueFrom: {secretKeyRef: {name: {{ $secret.existingSecret }}, key: {{ $key }}{{ if $secret.optional }}, optional: true{{ end }}}}
{{- end }}
{{- end }}
{{- end }}

{{/* One pod a node, and nodes of every zone, as far as possible. Takes a list: root, component. */}}
{{- define "eco2.spread" -}}
{{- $arguments := . -}}
{{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
- topologyKey: {{ . }}
  maxSkew: 1
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels: {{ include "eco2.selector" $arguments | nindent 6 }}
{{- end }}
{{- end }}
