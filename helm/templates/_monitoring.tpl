{{/* What is scraped: the services say it at /metrics, Envoy at /stats/prometheus. Takes a list: root, the interval. */}}
{{- define "eco2.endpoints" -}}
- port: metrics
  path: /metrics
  interval: {{ index . 1 }}
  relabelings: {{ include "eco2.relabelings" "drop" | nindent 4 }}
- port: metrics
  path: /stats/prometheus
  interval: {{ index . 1 }}
  relabelings: {{ include "eco2.relabelings" "keep" | nindent 4 }}
{{- end }}

{{/* Keeps the edge or drops it, and calls the job as monitoring/'s rules do: eco2-<component>. Takes the action. */}}
{{- define "eco2.relabelings" -}}
- sourceLabels: [__meta_kubernetes_pod_label_app_kubernetes_io_component]
  regex: edge
  action: {{ . }}
- sourceLabels: [__meta_kubernetes_pod_label_app_kubernetes_io_component]
  targetLabel: job
  replacement: eco2-$1
{{- end }}
