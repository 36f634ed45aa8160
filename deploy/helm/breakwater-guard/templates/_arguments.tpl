{{/* What `breakwater guard serve` is told. */}}
{{- define "guard.arguments" -}}
- guard
- serve
{{- end }}

{{- define "guard.environment" -}}
- name: POD_NAME
  valueFrom: { fieldRef: { fieldPath: metadata.name } }
- name: POD_NAMESPACE
  valueFrom: { fieldRef: { fieldPath: metadata.namespace } }
- name: BREAKWATER_DATA_DIR
  value: /data
- name: BREAKWATER_LOG_LEVEL
  value: {{ .Values.logLevel }}
{{- end }}
