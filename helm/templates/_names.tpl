{{/* What everything is called: the release, unless it is named after the chart already, or `fullnameOverride`.

Services' names hold 63 characters and begin with a letter, and KEDA puts nine before ours. So a long one is cut, and
told apart from its likes by a digest. */}}
{{- define "eco2.name" -}}
{{- $release := .Release.Name | replace "." "-" -}}
{{- $full := ternary $release (printf "%s-%s" $release .Chart.Name) (contains .Chart.Name $release) -}}
{{- $full = .Values.fullnameOverride | default $full -}}
{{- if not (regexMatch "^[a-z]" $full) }}{{ $full = printf "%s-%s" .Chart.Name $full }}{{ end -}}
{{- if gt (len $full) 30 -}}
{{ printf "%s-%s" (trunc 21 $full | trimSuffix "-") (sha256sum $full | trunc 8) }}
{{- else -}}
{{ $full }}
{{- end -}}
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
app.kubernetes.io/part-of: {{ $root.Chart.Name }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name ($root.Chart.Version | replace "+" "_") }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* An object's name, namespace and labels. Takes a list: root, component, and what follows the release's name, which is
the component itself if it isn't given. */}}
{{- define "eco2.metadata" -}}
{{- $suffix := index . 1 }}{{ if gt (len .) 2 }}{{ $suffix = index . 2 }}{{ end -}}
{{ include "eco2.metadataWith" (list (index . 0) (index . 1) $suffix dict) }}
{{- end }}

{{/* The same with more labels, which may replace those of `commonLabels`. Takes a list: root, component, what follows the
release's name, labels. */}}
{{- define "eco2.metadataWith" -}}
name: {{ include "eco2.name" (index . 0) }}-{{ index . 2 }}
namespace: {{ (index . 0).Release.Namespace }}
labels: {{ include "eco2.overlay" (list (include "eco2.labels" . | fromYaml) (index . 3)) | fromJson | toYaml | nindent 2 }}
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

{{/* The port of metrics, the services' and Envoy's. */}}
{{- define "eco2.metricsPort" -}}9464{{- end }}

{{/* Where a holder's certificate is mounted. */}}
{{- define "eco2.tlsFolder" -}}/etc/eco2-tls{{- end }}

{{/* The Secret of a holder's certificate. Takes a list: root, holder. */}}
{{- define "eco2.tlsSecret" -}}
{{- $root := index . 0 -}}
{{- index $root.Values.tls.secrets (index . 1) | default (printf "%s-%s-tls" (include "eco2.name" $root) (index . 1)) -}}
{{- end }}
