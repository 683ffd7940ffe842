#!/usr/bin/env node
import { runCli } from './cli/cli.ts'

// Hashes of passwords, keys and private images lie in what is written: nobody else on the machine reads them.
process.umask(0o077)
process.exitCode = await runCli(process.argv.slice(2))
