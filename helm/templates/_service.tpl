{{/* Seconds a service may take to end: what mesh/settings.py calls `ending_seconds`. Takes a list: root, the service's
values, whose settings go over the common ones. */}}
{{- define "eco2.terminationSeconds" -}}
{{- $settings := include "eco2.overlay" (list (index . 0).Values.settings (index . 1).settings) | fromJson -}}
{{ add (ceil $settings.drain_seconds) (mul 2 (ceil $settings.grace_seconds)) 15 }}
{{- end }}

{{/* One of the services, or of the workers, whole. Takes a list: root, one of eco2.components. */}}
{{- define "eco2.service" -}}
{{- $root := index . 0 }}
{{- $process := index . 1 }}
{{- $name := $process.name }}
{{- $component := list $root $name }}
{{- $service := $process.values }}
{{- $placement := include "eco2.placement" (list $root $service) | fromJson }}
{{- $placed := list $root $name $placement }}
{{- /* A worker serves nothing but its health. */}}
{{- $health := ternary "" (include "eco2.grpcName" $process.program) (eq $process.role "worker") }}
{{- include "eco2.serviceAccount" (append $placed dict) }}
{{- if ne $process.role "worker" }}
---
apiVersion: v1
kind: Service
metadata: {{ include "eco2.metadata" $component | nindent 2 }}
spec:
  # Headless: the edge and the peers see every pod, ask each for its health and balance by call. They are quicker than
  # DNS, and while no pod is well one of them can still say why.
  clusterIP: None
  publishNotReadyAddresses: true
  selector: {{ include "eco2.selector" $component | nindent 4 }}
  ports:
    - {name: grpc, port: {{ include "eco2.port" $root }}, targetPort: grpc, appProtocol: {{ ternary "https" "kubernetes.io/h2c" $root.Values.tls.enabled }}}
{{- end }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "eco2.metadata" $component | nindent 2 }}
  {{- with $placement.annotations }}
  annotations: {{ toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- /* Whoever scales it writes `replicas`: two writers would undo each other's work. */}}
  {{- if not $service.autoscaling.enabled }}
  replicas: {{ $service.replicas }}
  {{- end }}
  revisionHistoryLimit: 3
  strategy: {rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}
  selector:
    matchLabels: {{ include "eco2.selector" $component | nindent 6 }}
  template:
    metadata: {{ include "eco2.podMetadata" (append $placed dict) | nindent 6 }}
    spec:
      {{- include "eco2.podDefaults" $placed | nindent 6 }}
      # SIGTERM starts the drain, which tells clients by itself: a preStop pause would only delay it.
      terminationGracePeriodSeconds: {{ include "eco2.terminationSeconds" (list $root $service) }}
      containers:
        - name: {{ $name }}
          {{- include "eco2.ownImage" $root | nindent 10 }}
          command: [python, -m, {{ $process.program }}_svc]
          {{- include "eco2.env" (list (include "eco2.serviceEnv" .) $placement) | nindent 10 }}
          ports:
            - {name: grpc, containerPort: {{ include "eco2.port" $root }}}
            - {name: health, containerPort: {{ include "eco2.healthPort" $root }}}
            {{- if $root.Values.metrics.enabled }}
            - {name: metrics, containerPort: {{ include "eco2.metricsPort" $root }}}
            {{- end }}
          # Kubernetes' probes bring no certificate, so they have a port with nothing but health.
          startupProbe:
            grpc: {port: {{ include "eco2.healthPort" $root }}}
            periodSeconds: 2
            failureThreshold: 60
          readinessProbe:
            grpc: {port: {{ include "eco2.healthPort" $root }}, service: {{ $health | quote }}}
            periodSeconds: 5
            timeoutSeconds: 2
            failureThreshold: 2
          # A health name of its own: a store that is down makes the service NOT_SERVING, which no restart mends.
          livenessProbe:
            grpc: {port: {{ include "eco2.healthPort" $root }}, service: liveness}
            periodSeconds: 15
            timeoutSeconds: 5
            failureThreshold: 4
          resources: {{ toYaml $service.resources | nindent 12 }}
          securityContext: {{ include "eco2.containerSecurity" $root | nindent 12 }}
          volumeMounts:
            - {name: tmp, mountPath: /tmp}
            {{- if $root.Values.tls.enabled }}
            - {name: tls, mountPath: {{ include "eco2.tlsFolder" $root }}, readOnly: true}
            {{- end }}
      volumes:
        - {name: tmp, emptyDir: {}}
        {{- if $root.Values.tls.enabled }}
        {{- include "eco2.tlsVolume" (list $root $process.holder) | nindent 8 }}
        {{- end }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{ include "eco2.metadata" $component | nindent 2 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {{ include "eco2.selector" $component | nindent 6 }}
{{- include "eco2.autoscaling" . }}
{{- end }}
