{{/* All variables of a service. Takes a list: root, name. */}}
{{- define "eco2.serviceEnv" -}}
{{- $root := index . 0 }}
{{- $service := index $root.Values.services (index . 1) }}
{{- $settings := deepCopy $root.Values.settings }}
{{- /* Not `merge`, to which false and 0 are nothing. */}}
{{- range $field, $value := $service.settings }}{{ $_ := set $settings $field $value }}{{ end -}}
{{- /* onnxruntime reads it; see docs/operations.md. */}}
- {name: ORT_DISABLE_TELEMETRY, value: "1"}
- {name: ECO2_LISTEN, value: "[::]:{{ include "eco2.port" $root }}"}
- {name: ECO2_HEALTH_LISTEN, value: "[::]:{{ include "eco2.healthPort" $root }}"}
{{- if $root.Values.tls.enabled }}
- {name: ECO2_TLS_CERT, value: {{ include "eco2.tlsFolder" . }}/tls.crt}
- {name: ECO2_TLS_KEY, value: {{ include "eco2.tlsFolder" . }}/tls.key}
- {name: ECO2_TLS_CA, value: {{ include "eco2.tlsFolder" . }}/ca.crt}
{{- end }}
{{- range $field, $value := $settings }}
- {name: ECO2_{{ upper $field }}, value: {{ $value | toString | quote }}}
{{- end }}
{{- if eq (index . 1) "auth" }}
- {name: ECO2_AUTH_ISSUER, value: {{ $root.Values.jwt.issuer | quote }}}
- {name: ECO2_AUTH_AUDIENCE, value: {{ $root.Values.jwt.audience | quote }}}
{{- end }}
{{- if eq (index . 1) "ratelimit" }}
- {name: ECO2_LIMITS, value: {{ $root.Values.limits | toJson | quote }}}
{{- end }}
{{- range $service.peers }}
- {name: ECO2_{{ upper . }}_TARGET, value: "dns:///{{ include "eco2.name" $root }}-{{ . }}:{{ include "eco2.port" $root }}"}
{{- end }}
{{- include "eco2.secretEnv" (list $root $service.secrets) }}
{{- end }}

{{/* Seconds a service may take to end: what mesh/settings.py calls `ending_seconds`. Takes root. */}}
{{- define "eco2.terminationSeconds" -}}
{{ add .Values.settings.drain_seconds (mul 2 .Values.settings.grace_seconds) 15 }}
{{- end }}

{{/* One of the services, or the worker, whole. Takes a list: root, name. */}}
{{- define "eco2.service" -}}
{{- $root := index . 0 }}
{{- $name := index . 1 }}
{{- $service := index $root.Values.services $name }}
{{- $fullName := printf "%s-%s" (include "eco2.name" $root) $name }}
{{- /* A worker is another service's program in another role, and serves nothing but its health. */}}
{{- $program := $service.program | default $name }}
{{- $health := ternary "" (include "eco2.grpcName" $name) (hasKey $service "program") }}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $fullName }}
  labels: {{ include "eco2.labels" . | nindent 4 }}
automountServiceAccountToken: false
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $fullName }}
  labels: {{ include "eco2.labels" . | nindent 4 }}
spec:
  # Headless: the edge and the peers see every pod, ask each for its health and balance by call. They are quicker than
  # DNS, and while no pod is well one of them can still say why.
  clusterIP: None
  publishNotReadyAddresses: true
  selector: {{ include "eco2.selector" . | nindent 4 }}
  ports:
    - {name: grpc, port: {{ include "eco2.port" $root }}, targetPort: grpc, appProtocol: {{ ternary "https" "kubernetes.io/h2c" $root.Values.tls.enabled }}}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $fullName }}
  labels: {{ include "eco2.labels" . | nindent 4 }}
spec:
  {{- if not $service.autoscaling.enabled }}
  replicas: {{ $service.replicas }}
  {{- end }}
  revisionHistoryLimit: 3
  strategy: {rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}
  selector:
    matchLabels: {{ include "eco2.selector" . | nindent 6 }}
  template:
    metadata:
      labels: {{ include "eco2.labels" . | nindent 8 }}
    spec:
      {{- include "eco2.podDefaults" $root | nindent 6 }}
      serviceAccountName: {{ $fullName }}
      # SIGTERM starts the drain, which tells clients by itself: a preStop pause would only delay it.
      terminationGracePeriodSeconds: {{ include "eco2.terminationSeconds" $root }}
      topologySpreadConstraints: {{ include "eco2.spread" . | trim | nindent 8 }}
      containers:
        - name: {{ $name }}
          image: {{ include "eco2.image" $root }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          command: [python, -m, {{ $program }}_svc]
          env: {{ include "eco2.serviceEnv" . | nindent 12 }}
          ports:
            - {name: grpc, containerPort: {{ include "eco2.port" $root }}}
            - {name: health, containerPort: {{ include "eco2.healthPort" $root }}}
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
        {{- include "eco2.tlsVolume" . | nindent 8 }}
        {{- end }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ $fullName }}
  labels: {{ include "eco2.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {{ include "eco2.selector" . | nindent 6 }}
{{- with $service.autoscaling }}
{{- if .enabled }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ $fullName }}
  labels: {{ include "eco2.labels" $ | nindent 4 }}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{ $fullName }}}
  minReplicas: {{ .minReplicas }}
  maxReplicas: {{ .maxReplicas }}
  metrics:
    - type: Resource
      resource: {name: cpu, target: {type: Utilization, averageUtilization: {{ .cpuPercent }}}}
{{- end }}
{{- end }}
{{- end }}
