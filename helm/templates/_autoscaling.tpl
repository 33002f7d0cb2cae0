{{/* Who writes a Deployment's `replicas`: KEDA for workers, a HorizontalPodAutoscaler for what answers calls. Takes a
list: root, one of eco2.components. */}}
{{- define "eco2.autoscaling" -}}
{{- if (index . 1).values.autoscaling.enabled }}
{{- if eq (index . 1).role "worker" }}
{{- include "eco2.scaledObject" . }}
{{- else }}
{{- include "eco2.podAutoscaler" (list (index . 0) (index . 1).name (index . 1).values.autoscaling) }}
{{- end }}
{{- end }}
{{- end }}

{{/* Scaling by calls at work and by CPU: the one that wants more pods wins. While no metrics API tells the calls, CPU
alone does. Takes a list: root, component, its `autoscaling`. */}}
{{- define "eco2.podAutoscaler" -}}
{{- $component := list (index . 0) (index . 1) }}
{{- with index . 2 }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{ include "eco2.metadata" $component | nindent 2 }}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{ include "eco2.name" (first $component) }}-{{ last $component }}}
  minReplicas: {{ .minReplicas }}
  maxReplicas: {{ .maxReplicas }}
  metrics:
    {{- if .activeCalls }}
    - type: Pods
      pods:
        metric: {name: {{ .activeCallsMetric }}}
        target: {type: AverageValue, averageValue: {{ .activeCalls | int64 | quote }}}
    {{- end }}
    - type: Resource
      resource: {name: cpu, target: {type: Utilization, averageUtilization: {{ .cpuPercent }}}}
{{- end }}
{{- end }}
