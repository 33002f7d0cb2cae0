{{/* KEDA's scaling of workers by the queue: by how much of it each has, and by how long the oldest waits. Takes a list:
root, one of eco2.components. */}}
{{- define "eco2.scaledObject" -}}
{{- $root := index . 0 }}
{{- $component := list $root (index . 1).name }}
{{- $name := printf "%s-%s" (include "eco2.name" $root) (index . 1).name }}
{{- $stages := (index . 1).stages }}
{{- $series := printf "namespace=%q" $root.Release.Namespace }}
{{- with $stages }}
{{- /* Any worker delivers webhooks and makes exports; more are started for them where scans end. */}}
{{- $watched := splitList "," . }}{{ if has "answer" $watched }}{{ $watched = concat $watched (list "deliver" "export") }}{{ end }}
{{- $series = printf "%s,eco2_stage=~%q" $series (join "|" $watched) }}
{{- end }}
{{- with (index . 1).values.autoscaling }}
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {{ include "eco2.metadata" $component | nindent 2 }}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{ $name }}}
  minReplicaCount: {{ .minReplicas }}
  maxReplicaCount: {{ .maxReplicas }}
  pollingInterval: {{ .pollingSeconds }}
  # While Prometheus is away there stay as many as there are, and no fewer than this.
  fallback: {failureThreshold: 3, replicas: {{ .fallbackReplicas }}, behavior: currentReplicasIfHigher}
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        scaleUp:
          stabilizationWindowSeconds: {{ .scaleOutSeconds }}
          policies: [{type: Percent, value: 100, periodSeconds: 15}, {type: Pods, value: 4, periodSeconds: 15}]
        scaleDown:
          stabilizationWindowSeconds: {{ .scaleInSeconds }}
          policies: [{type: Percent, value: 25, periodSeconds: 60}, {type: Pods, value: 1, periodSeconds: 60}]
  triggers:
    # One process at a time tells of the queue; while the next one takes over two may, so never a sum over processes.
    - type: prometheus
      name: jobs
      metricType: AverageValue
      metadata:
        serverAddress: {{ .prometheus.address | quote }}
        query: sum(max by (eco2_job_kind, eco2_stage, eco2_job_state) (eco2_queue_jobs{ {{- $series }},eco2_job_state=~"ready|in_flight"}))
        threshold: {{ .jobsPerReplica | int64 | quote }}
        ignoreNullValues: "false"  # no answer isn't an empty queue
      {{- with .prometheus.authentication }}{{ if .name }}
      authenticationRef: {name: {{ .name | quote }}, kind: {{ .kind }}}
      {{- end }}{{ end }}
    - type: prometheus
      name: oldest
      metricType: Value
      metadata:
        serverAddress: {{ .prometheus.address | quote }}
        query: max(eco2_queue_oldest_age_seconds{ {{- $series }},eco2_job_kind=~"scan|reward"})  # a slow webhook needs no worker
        threshold: {{ .oldestSeconds | int64 | quote }}
        ignoreNullValues: "false"
      {{- with .prometheus.authentication }}{{ if .name }}
      authenticationRef: {name: {{ .name | quote }}, kind: {{ .kind }}}
      {{- end }}{{ end }}
    {{- range .schedule }}
    - type: cron
      metadata: {timezone: {{ .timezone | quote }}, start: {{ .start | quote }}, end: {{ .end | quote }}, desiredReplicas: {{ .replicas | int64 | quote }}}
    {{- end }}
{{- end }}
{{- end }}
