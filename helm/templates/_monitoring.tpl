{{/* What is scraped: the services say it at /metrics, Envoy at /stats/prometheus. Takes a list: root, the interval. */}}
{{- define "eco2.endpoints" -}}
- port: metrics
  path: /metrics
  interval: {{ index . 1 }}
  relabelings: {{ include "eco2.keptPods" "drop" | nindent 4 }}
- port: metrics
  path: /stats/prometheus
  interval: {{ index . 1 }}
  relabelings: {{ include "eco2.keptPods" "keep" | nindent 4 }}
{{- end }}

{{/* Keeps Envoys or drops them, by their component. Takes the action. */}}
{{- define "eco2.keptPods" -}}
- sourceLabels: [__meta_kubernetes_pod_label_app_kubernetes_io_component]
  regex: edge|operators-edge
  action: {{ . }}
- sourceLabels: [__meta_kubernetes_pod_label_app_kubernetes_io_component]
  targetLabel: component
{{- end }}
