// Command etcd is the etcd server: its own module cannot be installed by path, so this one requires it.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
