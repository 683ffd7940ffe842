// Every push of a manifest wrote into as many pages of this index as it names blobs; only the collector read it, which goes
// through all references anyway.
export default `
DROP INDEX hosted_references_by_target;
`
