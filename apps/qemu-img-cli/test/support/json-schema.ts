/**
 * Validates JSON against our schemas. It knows the keywords that they use, with the meaning that JSON Schema 2020-12 gives
 * them, and refuses a schema with any other, so that nothing is passed over.
 */

type Schema = Readonly<Record<string, unknown>>

/** Keywords that say nothing about the value. */
const annotations = new Set(['$schema', '$id', '$defs', 'title', 'description'])

/** Where `value` breaks `schema`; empty where it does not. */
export function violations(schema: Schema, value: unknown): string[] {
  return new Validator(schema).check(schema, value, '')
}

type Rule = (this: Validator, wanted: unknown, value: unknown, path: string, schema: Schema) => string[]

class Validator {
  readonly #root: Schema

  constructor(root: Schema) {
    this.#root = root
  }

  check(schema: Schema, value: unknown, path: string): string[] {
    return Object.entries(schema).flatMap(([keyword, wanted]) => {
      if (annotations.has(keyword)) return []
      const rule = rules[keyword]
      if (rule === undefined) throw new Error(`schema keyword '${keyword}' at '${path}' is not known here`)
      return rule.call(this, wanted, value, path, schema)
    })
  }

  resolve(reference: string): Schema {
    const [, name = ''] = /^#\/\$defs\/(\w+)$/.exec(reference) ?? []
    const found = (this.#root.$defs as Record<string, Schema> | undefined)?.[name]
    if (found === undefined) throw new Error(`schema has no ${reference}`)
    return found
  }
}

const rules: Readonly<Record<string, Rule>> = {
  $ref(wanted, value, path) {
    return this.check(this.resolve(wanted as string), value, path)
  },
  type(wanted, value, path) {
    const names = [wanted].flat()
    return names.some((name) => hasType(value, name as string)) ? [] : [`${path}: not ${names.join(' or ')}`]
  },
  const: (wanted, value, path) => (value === wanted ? [] : [`${path}: not ${JSON.stringify(wanted)}`]),
  enum: (wanted, value, path) => ((wanted as unknown[]).includes(value) ? [] : [`${path}: none of ${String(wanted)}`]),
  minimum: (wanted, value, path) =>
    typeof value === 'number' && value < (wanted as number) ? [`${path}: below ${String(wanted)}`] : [],
  maximum: (wanted, value, path) =>
    typeof value === 'number' && value > (wanted as number) ? [`${path}: above ${String(wanted)}`] : [],
  minItems: (wanted, value, path) =>
    Array.isArray(value) && value.length < (wanted as number) ? [`${path}: too few items`] : [],
  maxItems: (wanted, value, path) =>
    Array.isArray(value) && value.length > (wanted as number) ? [`${path}: too many items`] : [],
  items(wanted, value, path) {
    if (!Array.isArray(value)) return []
    return value.flatMap((item, index) => this.check(wanted as Schema, item, `${path}/${index}`))
  },
  required: (wanted, value, path) =>
    isObject(value)
      ? (wanted as string[]).filter((key) => !Object.hasOwn(value, key)).map((key) => `${path}: no '${key}'`)
      : [],
  properties(wanted, value, path) {
    if (!isObject(value)) return []
    return Object.entries(wanted as Record<string, Schema>).flatMap(([key, schema]) =>
      Object.hasOwn(value, key) ? this.check(schema, value[key], `${path}/${key}`) : [],
    )
  },
  additionalProperties(wanted, value, path, { properties = {} }) {
    if (!isObject(value)) return []
    const others = Object.keys(value).filter((key) => !Object.hasOwn(properties as object, key))
    if (wanted === false) return others.map((key) => `${path}: unexpected '${key}'`)
    return others.flatMap((key) => this.check(wanted as Schema, value[key], `${path}/${key}`))
  },
  oneOf(wanted, value, path) {
    const outcomes = (wanted as Schema[]).map((schema) => this.check(schema, value, path))
    const fitting = outcomes.filter((outcome) => outcome.length === 0).length
    return fitting === 1 ? [] : [`${path}: fits ${fitting} of ${outcomes.length}: ${outcomes.flat().join('; ')}`]
  },
}

function hasType(value: unknown, name: string): boolean {
  if (name === 'null') return value === null
  if (name === 'array') return Array.isArray(value)
  if (name === 'object') return isObject(value)
  if (name === 'integer') return Number.isInteger(value)
  if (name === 'string' || name === 'number' || name === 'boolean') return typeof value === name
  throw new Error(`schema type '${name}' is not known here`)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
