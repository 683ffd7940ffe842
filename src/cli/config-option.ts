import { Option } from 'commander'

/** `--config FILE`, the same for every command that reads the settings. */
export function configOption(): Option {
  return new Option('-c, --config <file>', 'YAML file with the settings (default: config/berth.yaml if it exists)')
}
