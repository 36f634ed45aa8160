import type { Client } from './client.ts';
import { containerd } from './containerd.ts';
import { cosign } from './cosign.ts';
import { crane } from './crane.ts';
import { docker } from './docker.ts';
import { helm } from './helm.ts';
import { oras } from './oras.ts';
import { podman } from './podman.ts';
import { regctl } from './regctl.ts';
import { skopeo } from './skopeo.ts';

export const CLIENTS: readonly Client[] = [skopeo, podman, docker, containerd, crane, oras, regctl, helm, cosign];
