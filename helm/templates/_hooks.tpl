{{/* Annotations of what exists before the services of an installation or an upgrade start. Takes its weight: accounts and
external secrets come before the Jobs that need them. */}}
{{- define "eco2.hook" -}}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation{{ if ge . -9 }},hook-succeeded{{ end }}
{{- end }}
