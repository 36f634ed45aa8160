package main

import (
	"fmt"
	"sync"
	"time"
)

// settle is how long a server may end what it put off when the content of a scenario was pushed.
const settle = time.Second

// operation is what is timed; `worker` is who does it, `i` counts all of them.
type operation func(worker, i int) error

// load is one run: who does what how often, on which content.
type load struct {
	scenario  string
	length    int64
	workers   int
	total     int
	prefix    string
	tags      int
	populated bool
	review    string
	layer     []byte
	diff      string
	wantAllow bool
}

// prepare stores what the scenario needs and gives the operation to be timed.
func (l *load) prepare(c *client) (operation, error) {
	switch l.scenario {
	case "push", "push-chunked":
		images := l.images(l.total, "p")
		return func(_, i int) error { return c.push(images[i], l.scenario == "push-chunked") }, nil
	case "admit":
		return l.admit(c)
	}
	kept, err := l.stored(c)
	if err != nil {
		return nil, err
	}
	time.Sleep(settle)
	switch l.scenario {
	case "populate":
		return func(_, i int) error { return c.putSibling(kept[0], i) }, nil
	case "pull":
		return func(worker, _ int) error { return c.pull(kept[worker]) }, nil
	case "mixed":
		images := l.images(l.total, "m")
		return func(worker, i int) error {
			if i%4 == 3 {
				return c.push(images[i], false)
			}
			return c.pull(kept[worker])
		}, nil
	case "manifest-tag":
		return func(worker, _ int) error { return c.getManifest(kept[worker], kept[worker].tag) }, nil
	case "manifest-digest":
		return func(worker, _ int) error { return c.getManifest(kept[worker], kept[worker].manifestDigest) }, nil
	case "head-blob":
		return func(worker, _ int) error { return c.headBlob(kept[worker]) }, nil
	case "tags":
		return func(worker, i int) error {
			repo := kept[worker].repo
			return c.get(c.address(repo, fmt.Sprintf("tags/list?n=100&last=t%07d", i*97%l.tags)), "pull:"+repo, -1)
		}, nil
	case "catalog":
		return func(_, _ int) error { return c.get(c.base+"/v2/_catalog?n=100", "catalog", -1) }, nil
	}
	return nil, fmt.Errorf("no scenario named %q", l.scenario)
}

// repo is the repository of a worker; with tags put there first, all share one.
func (l *load) repo(worker int) string {
	if l.tags > 0 {
		return l.prefix + "/shared"
	}
	return fmt.Sprintf("%s/w%d", l.prefix, worker)
}

// images makes images that no registry has seen, with their digests, before any clock runs.
func (l *load) images(count int, tag string) []*image {
	run := uint64(time.Now().UnixNano())
	images := make([]*image, count)
	var group sync.WaitGroup
	for w := range l.workers {
		group.Go(func() {
			for i := w; i < count; i += l.workers {
				images[i] = l.image(l.repo(w), fmt.Sprintf("%s-%d-%d", tag, run%1e9, i), run+uint64(i))
			}
		})
	}
	group.Wait()
	return images
}

func (l *load) image(repo, tag string, id uint64) *image {
	if l.layer != nil {
		return newImage(repo, tag, id, realLayer(l.layer, id), gzippedType, l.diff)
	}
	return newImage(repo, tag, id, layerBody(id, l.length), layerType, "")
}

// stored pushes one image for each worker, and the tags asked for.
func (l *load) stored(c *client) ([]*image, error) {
	images := l.images(l.workers, "s")
	for _, img := range images {
		if err := c.push(img, false); err != nil {
			return nil, err
		}
	}
	if l.populated || l.scenario == "populate" {
		return images, nil
	}
	for i := range l.tags {
		if err := c.putSibling(images[0], i); err != nil {
			return nil, err
		}
	}
	return images, nil
}
