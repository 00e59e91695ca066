import { programBuild } from '@blocklayer/cli-host/build'
import { defineConfig } from 'tsup'

export default defineConfig(({ outDir = 'dist' }) => programBuild('qemu-io', outDir))
