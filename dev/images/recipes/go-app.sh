# Go programs built by an old toolchain with modules of old versions. Needs Go.
export GOTOOLCHAIN=go1.21.0 CGO_ENABLED=0 GOFLAGS='-mod=mod -buildvcs=false'
mkdir -p web cli "$ROOTFS/usr/local/bin"
cat >web/go.mod <<'MOD'
module example.com/web
go 1.20
require (
	github.com/gin-gonic/gin v1.8.1
	github.com/golang-jwt/jwt/v4 v4.4.2
	github.com/gorilla/websocket v1.4.0
	golang.org/x/crypto v0.0.0-20220314234659-1baeb1ce4c0b
	golang.org/x/net v0.0.0-20220722155237-a158d28d115b
	golang.org/x/text v0.3.5
	gopkg.in/yaml.v2 v2.2.2
	github.com/prometheus/client_golang v1.11.0
	google.golang.org/grpc v1.50.0
	google.golang.org/protobuf v1.28.0
)
MOD
cat >web/main.go <<'GO'
package main

import (
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/golang-jwt/jwt/v4"
	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/crypto/ssh"
	"golang.org/x/net/html"
	"golang.org/x/text/language"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"gopkg.in/yaml.v2"
)

func main() {
	fmt.Println(gin.Version, jwt.TimePrecision, websocket.TextMessage, prometheus.DefBuckets, ssh.Marshal, html.Parse, language.English, grpc.Version, proto.Equal, yaml.Marshal)
	_ = http.ListenAndServe
}
GO
cat >cli/go.mod <<'MOD'
module example.com/cli
go 1.20
require (
	github.com/dgrijalva/jwt-go v3.2.0+incompatible
	github.com/hashicorp/go-getter v1.5.0
	github.com/opencontainers/runc v1.0.0
	github.com/docker/distribution v2.8.0+incompatible
	golang.org/x/crypto v0.16.0
)
replace golang.org/x/crypto => golang.org/x/crypto v0.14.0
MOD
cat >cli/main.go <<'GO'
package main

import (
	"fmt"

	"github.com/dgrijalva/jwt-go"
	"github.com/docker/distribution/reference"
	"github.com/hashicorp/go-getter"
	"github.com/opencontainers/runc/libcontainer/configs"
	"golang.org/x/crypto/ssh"
)

func main() {
	fmt.Println(jwt.TimeFunc, reference.Parse, getter.Get, configs.NEWNET, ssh.Marshal)
}
GO
for program in web cli; do (cd "$program" && go mod tidy && go build -trimpath -ldflags '-s -w' -o "$ROOTFS/usr/local/bin/$program" .); done
# What is in the programs, by go itself; a main module built from a folder is (devel).
for program in "$ROOTFS"/usr/local/bin/*; do
  go version -m "$program" | awk -v OFS='\t' '
    NR == 1 { sub(/^go/, "", $NF); print "golang", "stdlib", $NF }
    $1 == "dep" || $1 == "mod" || $1 == "=>" { if ($1 == "=>") line = ""; if (line != "") print line; line = "golang" OFS $2 OFS $3; next }
    { if (line != "") print line; line = "" }
    END { if (line != "") print line }'
done | sort -u >"$EXPECTED"
