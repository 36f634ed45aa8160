package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

func (c *client) address(repo, rest string) string { return c.base + "/v2/" + repo + "/" + rest }

// upload stores one blob: POST and PUT, or POST, one PATCH and PUT.
func (c *client) upload(repo, digest string, content *body, chunked bool) error {
	scope := "push:" + repo
	response, err := c.do(http.MethodPost, c.address(repo, "blobs/uploads/"), scope, "", nil, http.StatusAccepted)
	if err != nil {
		return err
	}
	drain(response)
	location, err := absolute(response)
	if err != nil {
		return err
	}
	if chunked {
		streamed := *content
		streamed.chunked = true
		response, err = c.do(http.MethodPatch, location.String(), scope, "application/octet-stream", &streamed, http.StatusAccepted)
		if err != nil {
			return err
		}
		drain(response)
		if location, err = absolute(response); err != nil {
			return err
		}
		content = nil
	}
	query := location.Query()
	query.Set("digest", digest)
	location.RawQuery = query.Encode()
	return c.put(location.String(), scope, "application/octet-stream", content)
}

func absolute(response *http.Response) (*url.URL, error) {
	location := response.Header.Get("Location")
	if location == "" {
		return nil, errors.New("no Location in the answer to an upload")
	}
	return response.Request.URL.Parse(location)
}

func (c *client) put(address, scope, contentType string, content *body) error {
	response, err := c.do(http.MethodPut, address, scope, contentType, content, http.StatusCreated)
	if err != nil {
		return err
	}
	drain(response)
	return nil
}

func (c *client) putManifest(repo, reference string, manifest []byte) error {
	return c.put(c.address(repo, "manifests/"+reference), "push:"+repo, manifestType, bytesBody(manifest))
}

func (c *client) push(img *image, chunked bool) error {
	if err := c.upload(img.repo, img.layerDigest, img.layer, chunked); err != nil {
		return err
	}
	if err := c.upload(img.repo, img.configDigest, bytesBody(img.config), false); err != nil {
		return err
	}
	return c.putManifest(img.repo, img.tag, img.manifest)
}

// putSibling puts another manifest of the same content beside the image, under a tag of its own.
func (c *client) putSibling(img *image, number int) error {
	return c.putManifest(img.repo, fmt.Sprintf("t%07d", number), img.sibling(number))
}

// get reads an answer and checks its length, when `want` is not negative.
func (c *client) get(address, scope string, want int64) error {
	response, err := c.do(http.MethodGet, address, scope, "", nil, http.StatusOK)
	if err != nil {
		return err
	}
	if n := drain(response); want >= 0 && n != want {
		return fmt.Errorf("GET %s: %d bytes instead of %d", address, n, want)
	}
	return nil
}

func (c *client) getManifest(img *image, reference string) error {
	return c.get(c.address(img.repo, "manifests/"+reference), "pull:"+img.repo, int64(len(img.manifest)))
}

func (c *client) pull(img *image) error {
	if err := c.getManifest(img, img.tag); err != nil {
		return err
	}
	if err := c.get(c.address(img.repo, "blobs/"+img.configDigest), "pull:"+img.repo, int64(len(img.config))); err != nil {
		return err
	}
	return c.get(c.address(img.repo, "blobs/"+img.layerDigest), "pull:"+img.repo, img.layer.length)
}

func (c *client) headBlob(img *image) error {
	response, err := c.do(http.MethodHead, c.address(img.repo, "blobs/"+img.layerDigest), "pull:"+img.repo, "", nil, http.StatusOK)
	if err != nil {
		return err
	}
	drain(response)
	return nil
}
