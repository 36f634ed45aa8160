{{/* Names are fixed: there is one guard in a cluster, and it looks for its own objects by these. */}}
{{- define "guard.name" -}}breakwater-guard{{- end }}
{{- define "guard.service" -}}breakwater-webhook{{- end }}

{{- define "guard.selector" -}}
app.kubernetes.io/name: breakwater
app.kubernetes.io/component: guard
{{- end }}

{{- define "guard.labels" -}}
{{ include "guard.selector" . }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- end }}

{{- define "guard.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* Namespaces that are never asked about. Under Fail nothing the cluster needs to come back may wait for the guard. */}}
{{- define "guard.exemptNamespaces" -}}
{{- $own := list .Release.Namespace -}}
{{- if eq .Values.webhook.failurePolicy "Fail" -}}
{{- $own = list "kube-system" "kube-public" "kube-node-lease" .Release.Namespace -}}
{{- end -}}
{{- concat $own .Values.webhook.exemptNamespaces | uniq | toJson -}}
{{- end }}

{{/* Where the API server asks; never with a caBundle: that field belongs to the guard. Takes (list . path). */}}
{{- define "guard.clientConfig" -}}
{{- $root := index . 0 -}}
{{- $path := index . 1 -}}
{{- with $root.Values.webhook.url -}}
url: {{ printf "%s%s" (trimSuffix "/" .) $path | quote }}
{{- else -}}
service:
  name: {{ include "guard.service" $root }}
  namespace: {{ $root.Release.Namespace }}
  path: {{ $path }}
  port: 443
{{- end -}}
{{- end }}

{{/* The first constraint as JSON, for the guard to make. */}}
{{- define "guard.wantedConstraint" -}}
{{- $constraint := .Values.constraint -}}
{{- $annotations := dict "breakwater/message-style" $constraint.messageStyle -}}
{{- if ne $constraint.matching "reference" }}{{ $_ := set $annotations "breakwater/matching" $constraint.matching }}{{ end -}}
{{- if ne $constraint.restartGrace "30d" }}{{ $_ := set $annotations "breakwater/restart-grace" $constraint.restartGrace }}{{ end -}}
{{- if ne $constraint.updates "new-images" }}{{ $_ := set $annotations "breakwater/updates" $constraint.updates }}{{ end -}}
{{- if ne $constraint.unknownImages "warn" }}{{ $_ := set $annotations "breakwater/unknown-images" $constraint.unknownImages }}{{ end -}}
{{- if ne $constraint.report "top" }}{{ $_ := set $annotations "breakwater/report" $constraint.report }}{{ end -}}
{{- $excluded := concat (list "kube-system" "kube-public" "kube-node-lease" .Release.Namespace) $constraint.excludedNamespaces | uniq -}}
{{- dict
      "apiVersion" "constraints.gatekeeper.sh/v1beta1"
      "kind" "K8sAllowedRepos"
      "metadata" (dict "name" $constraint.name "annotations" $annotations)
      "spec" (dict
        "enforcementAction" $constraint.enforcement
        "match" (dict
          "kinds" (.Files.Get "files/default-kinds.json" | fromJsonArray)
          "excludedNamespaces" $excluded)
        "parameters" (dict "repos" $constraint.repos))
    | toJson -}}
{{- end }}

{{/* What no schema can say in words people understand. */}}
{{- define "guard.check" -}}
{{- if and (eq .Values.webhook.failurePolicy "Fail") (lt (int .Values.replicas) 2) -}}
{{- fail "webhook.failurePolicy Fail needs at least 2 replicas: with one, each restart of it stops every pod of the cluster from being created. Set replicas to 2 or more, or webhook.failurePolicy to Ignore." -}}
{{- end -}}
{{- if and .Values.podDisruptionBudget.enabled (ge (int .Values.podDisruptionBudget.minAvailable) (int .Values.replicas)) (gt (int .Values.replicas) 1) -}}
{{- fail (printf "podDisruptionBudget.minAvailable %d of %d replicas would stop nodes from being drained for ever: it must be less than replicas." (int .Values.podDisruptionBudget.minAvailable) (int .Values.replicas)) -}}
{{- end -}}
{{- if and .Values.server.url (not .Values.server.tokenSecret.name) -}}
{{- fail "server.url without server.tokenSecret.name: the guard needs the token of a robot account to read verdicts." -}}
{{- end -}}
{{- if and .Values.server.tokenSecret.name (not .Values.server.url) -}}
{{- fail "server.tokenSecret.name without server.url: say which Breakwater server the token is for." -}}
{{- end -}}
{{- if and .Values.networkPolicy.enabled (not .Values.networkPolicy.webhookFrom) (not .Values.webhook.callers.caConfigMap.name) -}}
{{- fail "networkPolicy.enabled without networkPolicy.webhookFrom would open the webhook to everybody, who could then write findings: name the addresses API servers come from ([{ipBlock: {cidr: 10.0.0.0/24}}]), or have callers show a certificate (webhook.callers.caConfigMap)." -}}
{{- end -}}
{{- if and .Values.pinning.templates (not .Values.pinning.enabled) -}}
{{- fail "pinning.templates without pinning.enabled does nothing: set both, or neither." -}}
{{- end -}}
{{- end }}
