{{/* How the guard is told what the values say. Each name is a setting of the program; the tests compare. */}}
{{- define "guard.environment" -}}
{{- $port := int .Values.webhook.port -}}
{{- $service := include "guard.service" . -}}
{{- $hosts := list (printf "%s.%s.svc" $service .Release.Namespace) (printf "%s.%s.svc.cluster.local" $service .Release.Namespace) -}}
{{- $settings := dict
      "BREAKWATER_DATA_DIR" "/data"
      "BREAKWATER_LOG_LEVEL" .Values.logLevel
      "BREAKWATER_CLUSTER_NAME" .Values.clusterName
      "BREAKWATER_WEBHOOK_LISTEN" (printf "%s:%d" .Values.listenHost $port)
      "BREAKWATER_METRICS_LISTEN" (printf "%s:%d" .Values.listenHost (int .Values.metrics.port))
      "BREAKWATER_WEBHOOK_HOSTS" (join "," $hosts)
      "BREAKWATER_AUDIT_INTERVAL_SECONDS" (.Values.audit.intervalSeconds | toString)
      "BREAKWATER_AUDIT_VIOLATIONS_LIMIT" (.Values.audit.violationsLimit | toString)
      "BREAKWATER_AUDIT_REPORTS" (eq .Values.audit.reports "none" | ternary "off" .Values.audit.reports)
      "BREAKWATER_AUDIT_EVENTS" (.Values.audit.events | toString)
      "BREAKWATER_GUARD_PINNING" (.Values.pinning.enabled | ternary (.Values.pinning.templates | ternary "templates" "pods") "off")
      "BREAKWATER_GUARD_NAMESPACE" .Release.Namespace
      "BREAKWATER_GUARD_EXEMPT_NAMESPACES" (join "," (prepend .Values.webhook.exemptNamespaces "kube-system"))
      "BREAKWATER_GUARD_PROBE" (.Values.probe.enabled | toString)
      "BREAKWATER_GUARD_PROBE_NAMESPACE" .Values.probe.namespace
      "BREAKWATER_GUARD_DRAIN_SECONDS" (.Values.drainSeconds | toString) -}}
{{- with .Values.webhook.url }}{{ $_ := set $settings "BREAKWATER_WEBHOOK_URL" (trimSuffix "/" .) }}{{ end -}}
{{- with .Values.breakGlass.groups }}{{ $_ := set $settings "BREAKWATER_GUARD_BREAK_GLASS_GROUPS" (join "," .) }}{{ end -}}
{{- with .Values.controllers }}{{ $_ := set $settings "BREAKWATER_GUARD_CONTROLLERS" (join "," .) }}{{ end -}}
{{- with .Values.server -}}
{{- if .url -}}
{{- $_ := set $settings "BREAKWATER_GUARD_SERVER" .url -}}
{{- $_ := set $settings "BREAKWATER_GUARD_SERVER_TOKEN_FILE" "/server-token/token" -}}
{{- $_ := set $settings "BREAKWATER_GUARD_FACTS_MAX_AGE_HOURS" (.maxAgeHours | toString) -}}
{{- if .caConfigMap.name }}{{ $_ := set $settings "BREAKWATER_GUARD_SERVER_CA" "/server-ca/ca.crt" }}{{ end -}}
{{- with .projects }}{{ $_ := set $settings "BREAKWATER_GUARD_PROJECTS" (join "," .) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- with .Values.webhook.callers -}}
{{- if .caConfigMap.name -}}
{{- $_ := set $settings "BREAKWATER_GUARD_CLIENT_CA" "/callers-ca/ca.crt" -}}
{{- $_ := set $settings "BREAKWATER_GUARD_CLIENT_NAMES" (join "," .names) -}}
{{- end -}}
{{- end -}}
{{- with .Values.certificates.existingSecret -}}
{{- $_ := set $settings "BREAKWATER_GUARD_TLS_SECRET" . -}}
{{- $_ := set $settings "BREAKWATER_GUARD_PUBLISH_CA" ($.Values.certificates.publishAuthority | toString) -}}
{{- end -}}
{{- range $name, $value := $settings }}
- { name: {{ $name }}, value: {{ $value | quote }} }
{{- end }}
- name: BREAKWATER_GUARD_REPLICA
  valueFrom: { fieldRef: { fieldPath: metadata.name } }
{{- end }}
