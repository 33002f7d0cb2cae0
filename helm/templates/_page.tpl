{{/* What the placeholders for the users' page in edge.yaml stand for, as local/stack/page.py says it; JSON. Takes root. */}}
{{- define "eco2.pagePlaceholders" -}}
{{- $folder := "/etc/eco2-app" -}}
{{- $routes := "" -}}
{{- $content := "" -}}
{{- range $path, $bytes := .Files.Glob "files/app/*" -}}
{{- $content = print $content (toString $bytes) -}}
{{- $name := base $path -}}
{{- if ne $name "index.html" -}}
{{- $routes = printf "%s\n%s- {match: {path: /app/%s, headers: *read_only}, direct_response: {status: 200, body: {filename: \"%s/%s\"}}, response_headers_to_add: *page, typed_per_filter_config: *untranscoded}" $routes (repeat 24 " ") $name $folder $name -}}
{{- end -}}
{{- end -}}
{{- $routes = printf "%s\n%s- {match: {path: /app/map.json, headers: *read_only}, direct_response: {status: 200, body: {inline_string: \"{}\"}}, response_headers_to_add: *page, typed_per_filter_config: *untranscoded}" $routes (repeat 24 " ") -}}
{{- dict
  "APP_PATH" $folder
  "APP_VERSION" ($content | sha256sum | trunc 12)
  "APP_ROUTES" $routes
  "PHOTO_ORIGINS" (include "eco2.origin" (list . "cdn_base_url"))
  "UPLOAD_ORIGINS" (include "eco2.origin" (list . "s3_endpoint")) | toJson -}}
{{- end }}

{{/* The origin of an address among Scan's settings. Takes (list root setting). */}}
{{- define "eco2.origin" -}}
{{- $root := index . 0 -}}
{{- $settings := merge dict $root.Values.services.scan.settings $root.Values.settings -}}
{{- $address := get $settings (index . 1) | toString | urlParse -}}
{{- printf "%s://%s" $address.scheme $address.host -}}
{{- end }}
