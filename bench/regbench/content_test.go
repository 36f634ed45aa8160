package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
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
	made := func(id uint64) *image { return newImage("r", "t", id, layerBody(id, 64<<10), layerType, "") }
	a, b := made(1), made(2)
	if a.layerDigest == b.layerDigest || a.manifestDigest == b.manifestDigest {
		t.Fatal("two images of different ids are the same")
	}
}

func TestRealLayersDifferInNothingThatIsUnpacked(t *testing.T) {
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	writer.Write([]byte("content"))
	writer.Close()
	first, second := realLayer(packed.Bytes(), 1), realLayer(packed.Bytes(), 2)
	if digestOf(all(t, first.open())) == digestOf(all(t, second.open())) {
		t.Fatal("two layers of different ids are the same")
	}
	for _, layer := range []*body{first, second} {
		reader, err := gzip.NewReader(layer.open())
		if err != nil {
			t.Fatal(err)
		}
		if content := string(all(t, reader)); content != "content" {
			t.Fatal(content)
		}
	}
}

func all(t *testing.T, reader io.Reader) []byte {
	content, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
