{{/* What a component's pods are given besides their program: `defaults` with its own values over them. Maps are laid over
by key, extraEnv by name; what else a component has replaces the default. Takes a list: root, the component's values.
JSON. */}}
{{- define "eco2.placement" -}}
{{- $defaults := (index . 0).Values.defaults -}}
{{- $own := pick (index . 1) "extraEnv" "extraEnvFrom" "nodeSelector" "tolerations" "affinity" "topologySpreadConstraints" "podAnnotations" "podLabels" "annotations" "priorityClassName" "serviceAccount" -}}
{{- $laid := dict -}}
{{- range $key, $value := $own }}{{ if not (kindIs "invalid" $value) }}{{ $_ := set $laid $key $value }}{{ end }}{{ end -}}
{{- $placement := include "eco2.overlay" (list $defaults (omit $laid "affinity" "extraEnv")) | fromJson -}}
{{- if hasKey $laid "affinity" }}{{ $_ := set $placement "affinity" $laid.affinity }}{{ end -}}
{{- $extra := list -}}
{{- $names := list -}}
{{- range $laid.extraEnv }}{{ $names = append $names .name }}{{ end -}}
{{- range $defaults.extraEnv }}{{ if not (has .name $names) }}{{ $extra = append $extra . }}{{ end }}{{ end -}}
{{- $_ := set $placement "extraEnv" (concat $extra ($laid.extraEnv | default list) | default list) -}}
{{- $placement | toJson -}}
{{- end }}

{{/* Labels and annotations of a pod. Takes a list: root, component, its placement, annotations of the chart's own. */}}
{{- define "eco2.podMetadata" -}}
{{- $placement := index . 2 -}}
labels: {{ include "eco2.overlay" (list (include "eco2.labels" . | fromYaml) $placement.podLabels) | fromJson | toYaml | nindent 2 }}
{{- with include "eco2.overlay" (list $placement.podAnnotations (index . 3)) | fromJson }}
annotations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* What every pod has: no account token, no root, no environment of neighbours; and where it may run. Takes a list:
root, component, its placement. */}}
{{- define "eco2.podDefaults" -}}
{{- $root := index . 0 -}}
{{- $placement := index . 2 -}}
automountServiceAccountToken: false
# A Service called x-scan would inject X_SCAN_PORT=tcp://… into every pod of the namespace.
enableServiceLinks: false
serviceAccountName: {{ include "eco2.serviceAccountName" . }}
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with $placement.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $placement.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with $placement.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with $placement.affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
{{- with $placement.topologySpreadConstraints }}
  {{- range . }}
  {{- $own := dict "labelSelector" (dict "matchLabels" (include "eco2.selector" $ | fromYaml)) }}
  - {{ ternary . (merge $own .) (hasKey . "labelSelector") | toYaml | nindent 4 | trim }}
  {{- end }}
{{- else }}
  {{- include "eco2.spread" . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  {{- with $root.Values.podSecurity }}{{ toYaml . | nindent 2 }}{{ end }}
  seccompProfile: {type: RuntimeDefault}
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

{{/* What every container has. */}}
{{- define "eco2.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* A component's account. Takes a list: root, component, its placement. */}}
{{- define "eco2.serviceAccountName" -}}
{{- $account := (index . 2).serviceAccount -}}
{{- if $account.name -}}
{{ $account.name }}
{{- else if $account.create -}}
{{ include "eco2.name" (index . 0) }}-{{ index . 1 }}
{{- else -}}
default
{{- end -}}
{{- end }}

{{/* That account itself, unless it is somebody else's. Takes a list: root, component, its placement, annotations of the
chart's own. */}}
{{- define "eco2.serviceAccount" -}}
{{- $account := (index . 2).serviceAccount }}
{{- if $account.create }}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "eco2.serviceAccountName" . }}
  namespace: {{ (index . 0).Release.Namespace }}
  labels: {{ include "eco2.labels" . | nindent 4 }}
  {{- with include "eco2.overlay" (list $account.annotations (index . 3)) | fromJson }}
  annotations: {{ toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
{{- end }}
{{- end }}

{{/* An image by its name. Takes its values and, for one without tag and digest, a tag, as a list. */}}
{{- define "eco2.image" -}}
{{- $image := index . 0 -}}
{{- $tag := $image.tag -}}
{{- if not (or $tag $image.digest) }}{{ $tag = index . 1 }}{{ end -}}
{{ $image.repository }}{{ with $tag }}:{{ . }}{{ end }}{{ with $image.digest }}@{{ . }}{{ end }}
{{- end }}

{{/* The services' image, and when it is pulled. Takes root. */}}
{{- define "eco2.ownImage" -}}
image: {{ include "eco2.image" (list .Values.image .Chart.AppVersion) | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- end }}

{{/* Envoy's. Takes root. */}}
{{- define "eco2.envoyImage" -}}
image: {{ include "eco2.image" (list .Values.edge.image "") | quote }}
imagePullPolicy: {{ .Values.edge.image.pullPolicy }}
{{- end }}

{{/* The volume of a holder's certificate. Takes a list: root, holder. */}}
{{- define "eco2.tlsVolume" -}}
- {name: tls, secret: {secretName: {{ include "eco2.tlsSecret" . }}, defaultMode: 0440}}
{{- end }}
