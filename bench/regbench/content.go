package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
)

const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	configType   = "application/vnd.oci.image.config.v1+json"
	layerType    = "application/vnd.oci.image.layer.v1.tar"
	gzippedType  = layerType + "+gzip"
)

// noise is what layers are made of: it cannot be compressed.
var noise = func() []byte { b := make([]byte, 1<<20); rand.Read(b); return b }()

// body is what a request carries; it can be sent again, and several times at once.
type body struct {
	length  int64
	chunked bool
	open    func() io.Reader
}

func bytesBody(content []byte) *body {
	return &body{length: int64(len(content)), open: func() io.Reader { return &exactly{content: content} }}
}

// exactly yields the bytes and nothing that net/http would look behind.
type exactly struct {
	content []byte
	offset  int
}

func (r *exactly) Read(p []byte) (int, error) {
	if r.offset == len(r.content) {
		return 0, io.EOF
	}
	n := copy(p, r.content[r.offset:])
	r.offset += n
	return n, nil
}

const block = 512

// smallest is the shortest layer: what every layer starts with, a piece of a file and the two blocks that end an archive.
var smallest = int64(len(layerHead(0, block)) + 3*block)

// layerBody is a tar of `length` bytes: a small Alpine with one file of noise, whose name is unique to `id`. A registry that
// looks into layers has to read, list and match it, and finds nothing that keeps it from being pulled.
func layerBody(id uint64, length int64) *body {
	front := int64(len(layerHead(id, 0)))
	head := layerHead(id, (length-front-2*block)/block*block)
	return &body{length: length, open: func() io.Reader { return &layer{head: head, length: length} }}
}

// layerHead is the archive up to and with the header of the file of noise.
func layerHead(id uint64, size int64) []byte {
	var buffer bytes.Buffer
	writer := tar.NewWriter(&buffer)
	add := func(name string, content []byte) {
		writer.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content)), Format: tar.FormatUSTAR})
		writer.Write(content)
		writer.Flush()
	}
	add("etc/os-release", []byte("NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.20.3\nPRETTY_NAME=\"Alpine Linux v3.20\"\n"))
	add("lib/apk/db/installed", installed())
	writer.WriteHeader(&tar.Header{Name: fmt.Sprintf("srv/%d.bin", id), Mode: 0o644, Size: size, Format: tar.FormatUSTAR})
	return buffer.Bytes()
}

// installed lists the packages of an Alpine base image, in versions that are newer than any advisory.
func installed() []byte {
	var list bytes.Buffer
	for _, name := range []string{"alpine-baselayout", "alpine-keys", "apk-tools", "busybox", "ca-certificates-bundle", "libcrypto3", "libssl3",
		"musl", "musl-utils", "scanelf", "ssl_client", "zlib"} {
		fmt.Fprintf(&list, "P:%s\nV:999.0.0-r0\nA:x86_64\nS:1000\nI:2000\nT:%s\nL:MIT\no:%s\n\n", name, name, name)
	}
	return list.Bytes()
}

type layer struct {
	head           []byte
	length, offset int64
}

func (r *layer) Read(p []byte) (int, error) {
	front, end := int64(len(r.head)), (r.length-2*block)/block*block
	var n int
	switch {
	case r.offset >= r.length:
		return 0, io.EOF
	case r.offset < front:
		n = copy(p, r.head[r.offset:])
	case r.offset < end:
		start := (r.offset - front) % int64(len(noise))
		n = copy(p, noise[start:min(int64(len(noise)), start+end-r.offset)])
	default:
		n = copy(p, make([]byte, min(int64(len(p)), r.length-r.offset)))
	}
	r.offset += int64(n)
	return n, nil
}

// realLayer is a gzipped layer from a file, made unique to `id` by an empty gzip member behind it that carries the number as its name.
func realLayer(content []byte, id uint64) *body {
	var tail bytes.Buffer
	member := gzip.NewWriter(&tail)
	member.Name = fmt.Sprint(id)
	member.Close()
	return bytesBody(slices.Concat(content, tail.Bytes()))
}

// diffID is the digest of what is in a gzipped layer.
func diffID(content []byte) (string, error) {
	reader, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, reader); err != nil {
		return "", err
	}
	return "sha256:" + hex.EncodeToString(hash.Sum(nil)), nil
}

// image is one layer, a config and a manifest, under one tag.
type image struct {
	repo, tag      string
	layer          *body
	layerDigest    string
	config         []byte
	configDigest   string
	manifest       []byte
	manifestDigest string
}

// newImage makes an image of this layer; one that is not compressed is its own diff ID.
func newImage(repo, tag string, id uint64, layer *body, mediaType, diff string) *image {
	img := &image{repo: repo, tag: tag, layer: layer}
	hash := sha256.New()
	io.Copy(hash, layer.open())
	img.layerDigest = "sha256:" + hex.EncodeToString(hash.Sum(nil))
	if diff == "" {
		diff = img.layerDigest
	}
	img.config = fmt.Appendf(nil, `{"architecture":"amd64","os":"linux","created":"2026-01-01T00:00:00Z","config":{"Labels":{"n":"%d"}},"rootfs":{"type":"layers","diff_ids":["%s"]}}`, id, diff)
	img.configDigest = digestOf(img.config)
	img.manifest = fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":"%s","config":{"mediaType":"%s","digest":"%s","size":%d},"layers":[{"mediaType":"%s","digest":"%s","size":%d}]}`,
		manifestType, configType, img.configDigest, len(img.config), mediaType, img.layerDigest, layer.length)
	img.manifestDigest = digestOf(img.manifest)
	return img
}

// sibling is another manifest of the same content.
func (img *image) sibling(number int) []byte {
	return fmt.Appendf(nil, `%s,"annotations":{"build":"%d"}}`, img.manifest[:len(img.manifest)-1], number)
}

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}
