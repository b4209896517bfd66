// node schemas.js FOLDER KIND FILE: validates one report against the official schema that lies in FOLDER. Prints what does not fit; exit 1.
const fs = require('fs')
const path = require('path')

const [folder, kind, file] = process.argv.slice(2)
const from = name => require(path.join(folder, 'node_modules', name))
const read = (...parts) => JSON.parse(fs.readFileSync(path.join(folder, ...parts)))
const formats = from('ajv-formats')

// An older draft calls the name of a schema "id".
function compileSarif() {
  const ajv = new (from('ajv'))({ strict: false, allErrors: true, validateSchema: false, unicodeRegExp: false })
  const schema = read('node_modules', '@microsoft', 'jest-sarif', 'lib', 'schemas', 'sarif-2.1.0-rtm.5.json')
  formats(ajv)
  delete schema.$schema
  delete schema.id
  return ajv.compile(schema)
}

function compileCyclonedx() {
  const ajv = new (from('ajv'))({ strict: false, allErrors: true })
  formats(ajv)
  ajv.addFormat('iri-reference', true)
  ajv.addFormat('idn-email', true)
  for (const name of ['spdx', 'jsf-0.82', 'cryptography-defs']) {
    const part = path.join(folder, 'package', 'data', name + '.schema.json')
    if (fs.existsSync(part)) ajv.addSchema(JSON.parse(fs.readFileSync(part)))
  }
  return ajv.compile(read('package', 'data', 'bom-1.6.schema.json'))
}

function compileSpdx3() {
  const ajv = new (from('ajv/dist/2020'))({ strict: false, allErrors: true })
  formats(ajv)
  return ajv.compile(read('package', 'data', 'spdx-export.schema.json'))
}

function compileOwn() {
  const ajv = new (from('ajv/dist/2020'))({ strict: true, allErrors: true })
  formats(ajv)
  return ajv.compile(JSON.parse(fs.readFileSync(path.join(__dirname, '..', '..', 'docs', 'scan.schema.json'))))
}

const validate = { sarif: compileSarif, cyclonedx: compileCyclonedx, spdx3: compileSpdx3, json: compileOwn }[kind]()
if (!validate(JSON.parse(fs.readFileSync(file)))) {
  for (const error of validate.errors.slice(0, 8)) console.log(error.instancePath, error.message, JSON.stringify(error.params))
  process.exit(1)
}
