import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import ts from 'typescript'

/** A source file and what it imports; paths are relative to the folder that was read. */
export interface Source {
  readonly path: string
  readonly room: string
  readonly lines: number
  readonly imports: readonly Import[]
}

export interface Import {
  readonly from: string
  readonly specifier: string
  /** The file it names; undefined for a package. */
  readonly file: string | undefined
  readonly typesOnly: boolean
}

/** Reads every source file below a folder. */
export function readSources(folder: string): Source[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|tsx|js)$/.test(entry.name))
    .map((entry) => readSource(folder, relative(folder, join(entry.parentPath, entry.name))))
}

/** The folder, or the name of a file that is in none. */
export function roomOf(path: string): string {
  return path.split(/[/.]/, 1)[0] ?? ''
}

function readSource(folder: string, path: string): Source {
  const text = readFileSync(join(folder, path), 'utf8')
  const imports: Import[] = []
  const visit = (node: ts.Node): void => {
    const found = importOf(node)
    if (found && ts.isStringLiteral(found.name)) {
      const specifier = found.name.text
      const file = specifier.startsWith('.') ? normalize(join(dirname(path), specifier)) : undefined
      imports.push({ from: path, specifier, file, typesOnly: found.typesOnly })
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest))
  return { path, room: roomOf(path), lines: text.split('\n').length - 1, imports }
}

/** What a node imports: `import`, `export from`, `import()` and the type `import('...').X`. */
function importOf(node: ts.Node): { name: ts.Node; typesOnly: boolean } | undefined {
  if (ts.isImportDeclaration(node)) {
    return { name: node.moduleSpecifier, typesOnly: node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword }
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier) {
    return { name: node.moduleSpecifier, typesOnly: node.isTypeOnly }
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return { name: node.argument.literal, typesOnly: true }
  }
  const call = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
  return call && node.arguments[0] ? { name: node.arguments[0], typesOnly: false } : undefined
}
