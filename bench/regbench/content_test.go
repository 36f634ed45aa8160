package main

import (
	"archive/tar"
	"io"
	"testing"
)

func TestLayerIsAWholeTar(t *testing.T) {
	for _, length := range []int64{smallest, 64 << 10, 1<<20 + 100, 3 << 20} {
		archive := tar.NewReader(layerBody(7, length).open())
		for _, name := range []string{"etc/os-release", "lib/apk/db/installed", "srv/7.bin"} {
			entry, err := archive.Next()
			if err != nil || entry.Name != name {
				t.Fatal(length, entry, err)
			}
			if n, err := io.Copy(io.Discard, archive); n != entry.Size || err != nil {
				t.Fatal(length, n, entry.Size, err)
			}
		}
		if _, err := archive.Next(); err != io.EOF {
			t.Fatal(length, err)
		}
		if n, _ := io.Copy(io.Discard, layerBody(7, length).open()); n != length {
			t.Fatal(length, n)
		}
	}
}

func TestLayersDiffer(t *testing.T) {
	a, b := newImage("r", "t", 1, 64<<10), newImage("r", "t", 2, 64<<10)
	if a.layerDigest == b.layerDigest || a.manifestDigest == b.manifestDigest {
		t.Fatal("two images of different ids are the same")
	}
}
