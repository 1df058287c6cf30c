// Reads types of TypeScript files through the TypeScript compiler of the workspace, as JSON Schemas.
// Usage: node typescript_reader.cjs JOB.json; JOB: {tree, files: [{key, path, names}]}. Prints {KEY: {schemas, parts} | {unread}}.
"use strict";
const fs = require("fs");
const path = require("path");

const DEEPEST = 40;
const MOST_VALUES = 20000;

function foldersUp(tree, file) {
  const folders = [];
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    folders.push(folder);
    if (folder === tree || folder === path.dirname(folder)) return folders;
  }
}

function first(tree, file, name) {
  return foldersUp(tree, file).map((folder) => path.join(folder, name)).find((one) => fs.existsSync(one));
}

function optionsOf(ts, config) {
  const plain = { strict: true, target: ts.ScriptTarget.ES2022, moduleResolution: ts.ModuleResolutionKind.Node10 ?? 2 };
  if (!config) return { ...plain, noEmit: true, skipLibCheck: true };
  const read = ts.readConfigFile(config, ts.sys.readFile);
  const parsed = ts.parseJsonConfigFileContent(read.config ?? {}, ts.sys, path.dirname(config));
  return { ...parsed.options, noEmit: true, skipLibCheck: true, incremental: false, composite: false };
}

class Reader {
  constructor(ts, program, source) {
    this.ts = ts;
    this.program = program;
    this.checker = program.getTypeChecker();
    this.source = source;
    this.schemas = Object.create(null);
    this.names = new Map();
    this.parts = [];
    this.values = 0;
  }

  // Exported types by name; with `export =` or no export at all, those declared in the file.
  declared() {
    const { ts, checker, source } = this;
    const module = checker.getSymbolAtLocation(source);
    const symbols = module ? checker.getExportsOfModule(module) : [...(source.locals?.values() ?? [])];
    const found = new Map();
    for (const given of symbols) {
      const symbol = given.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(given) : given;
      if (symbol.flags & (ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias | ts.SymbolFlags.Class | ts.SymbolFlags.Enum)) {
        found.set(given.name, symbol);
      }
    }
    return found;
  }

  read(names) {
    const found = this.declared();
    for (const name of names ?? found.keys()) {
      const symbol = found.get(name) ?? this.source.locals?.get(name);
      if (!symbol) continue;
      const type = this.checker.getDeclaredTypeOfSymbol(symbol);
      const open = symbol.declarations?.some((one) => one.typeParameters?.length);
      if (open) {
        if (names) this.part(name, "it has type parameters; name an alias with them filled in");
        continue;
      }
      if (this.names.get(type) === name) continue;
      this.schemas[name] = {};
      if (!this.names.has(type)) this.names.set(type, name);
      this.schemas[name] = this.written(type, name, 0);
    }
    return { schemas: this.schemas, parts: this.parts };
  }

  part(at, why) {
    if (this.parts.length < 50) this.parts.push(`${at}: ${why}`);
    return { "x-unread": why };
  }

  // A type where it is used: named objects lie apart, under their names.
  used(type, at, depth) {
    const name = this.names.get(type) ?? this.ownName(type);
    if (name === undefined) return this.written(type, at, depth);
    if (!this.names.has(type)) {
      this.names.set(type, name);
      this.schemas[name] = {};
      this.schemas[name] = this.written(type, name, depth);
    }
    return { $ref: `#/schemas/${name}` };
  }

  ownName(type) {
    const { ts } = this;
    if (!(type.flags & ts.TypeFlags.Object) || this.checker.isArrayType(type) || this.checker.isTupleType(type)) return undefined;
    if (this.isOfLibrary(type)) return undefined;
    const symbol = type.aliasSymbol ?? type.symbol;
    if (!symbol || symbol.name.startsWith("__")) return undefined;
    if (type.aliasSymbol && this.inLibrary(type.aliasSymbol)) return undefined;
    const plain = this.checker.typeToString(type).replace(/[^A-Za-z0-9_]+/g, "_").slice(0, 80);
    const taken = new Set(this.names.values());
    let name = plain;
    for (let number = 2; taken.has(name) || (name in this.schemas); number++) name = `${plain}_${number}`;
    return name;
  }

  inLibrary(symbol) {
    return (symbol.declarations ?? []).some((one) => this.program.isSourceFileDefaultLibrary(one.getSourceFile()));
  }

  isOfLibrary(type) {
    const { ts } = this;
    return Boolean(type.symbol && type.symbol.flags & (ts.SymbolFlags.Interface | ts.SymbolFlags.Class) && this.inLibrary(type.symbol));
  }

  written(type, at, depth) {
    const { ts, checker } = this;
    const flags = ts.TypeFlags;
    if (++this.values > MOST_VALUES || depth > DEEPEST) return this.part(at, "it is too deep or too large");
    if (type.intrinsicName === "error") return this.part(at, "a type that cannot be resolved");
    if (type.flags & (flags.Any | flags.Unknown)) return true;
    if (type.flags & flags.Never) return false;
    if (type.flags & flags.BooleanLiteral) return { type: "boolean", const: type.intrinsicName === "true" };
    if (type.flags & flags.Boolean) return { type: "boolean" };
    if (type.isUnion()) return this.union(type.types, at, depth);
    if (type.flags & flags.StringLiteral) return { type: "string", const: type.value };
    if (type.flags & flags.NumberLiteral) return { type: "number", const: type.value };
    if (type.flags & (flags.String | flags.TemplateLiteral | flags.StringMapping)) return { type: "string" };
    if (type.flags & (flags.Number | flags.Enum)) return { type: "number" };
    if (type.flags & (flags.Null | flags.Undefined | flags.Void)) return { type: "null" };
    if (type.flags & flags.NonPrimitive) return { type: "object" };
    if (type.isIntersection()) {
      const solid = type.types.find((one) => one.flags & (flags.StringLike | flags.NumberLike | flags.BooleanLike));
      return solid ? this.written(solid, at, depth + 1) : this.object(type, at, depth);
    }
    if (checker.isTupleType(type)) {
      const parts = checker.getTypeArguments(type).map((one, index) => this.used(one, `${at}[${index}]`, depth + 1));
      if (type.target.elementFlags?.some((flag) => flag & (ts.ElementFlags.Variable))) return this.part(at, "a tuple of variable length");
      return { type: "array", prefixItems: parts, items: false, minItems: type.target.minLength };
    }
    if (checker.isArrayType(type)) return { type: "array", items: this.used(checker.getTypeArguments(type)[0], `${at}[]`, depth + 1) };
    if (this.isOfLibrary(type)) return this.part(at, type.symbol.name);
    if (type.getCallSignatures().length || type.getConstructSignatures().length) return this.part(at, "a function");
    if (type.flags & flags.Object) return this.object(type, at, depth);
    return this.part(at, checker.typeToString(type).slice(0, 100));
  }

  union(types, at, depth) {
    const flags = this.ts.TypeFlags;
    let solid = types.filter((one) => !(one.flags & (flags.Undefined | flags.Void)));
    const nullable = solid.some((one) => one.flags & flags.Null);
    solid = solid.filter((one) => !(one.flags & flags.Null));
    const booleans = solid.filter((one) => one.flags & flags.BooleanLiteral);
    const options = [];
    for (const [kind, name] of [[flags.StringLiteral, "string"], [flags.NumberLiteral, "number"]]) {
      const literals = solid.filter((one) => one.flags & kind).map((one) => one.value);
      if (literals.length) options.push({ type: name, enum: literals });
    }
    if (booleans.length === 2) options.push({ type: "boolean" });
    for (const one of solid) {
      if (one.flags & (flags.StringLiteral | flags.NumberLiteral)) continue;
      if (one.flags & flags.BooleanLiteral && booleans.length === 2) continue;
      options.push(this.used(one, at, depth + 1));
    }
    if (nullable) options.push({ type: "null" });
    return options.length === 1 ? options[0] : { anyOf: options };
  }

  object(type, at, depth) {
    const { ts, checker } = this;
    const properties = Object.create(null); // a member may be called __proto__
    const required = [];
    for (const symbol of checker.getPropertiesOfType(type)) {
      const name = symbol.name;
      if (name.startsWith("__@")) continue; // a brand: a symbol is no member of JSON
      if (type.symbol?.flags & ts.SymbolFlags.Class && symbol.flags & ts.SymbolFlags.Method) continue;
      const member = checker.getTypeOfSymbolAtLocation(symbol, this.source);
      const optional = Boolean(symbol.flags & ts.SymbolFlags.Optional);
      const absent = optional || (member.isUnion() && member.types.some((one) => one.flags & ts.TypeFlags.Undefined));
      properties[name] = this.used(member, `${at}.${name}`, depth + 1);
      if (!absent) required.push(name);
    }
    const made = { type: "object", properties };
    if (required.length) made.required = required;
    const index = checker.getIndexInfosOfType(type).find((one) => one.keyType.flags & (ts.TypeFlags.String | ts.TypeFlags.Number));
    if (index) made.additionalProperties = this.used(index.type, `${at}.*`, depth + 1);
    return made;
  }
}

function main() {
  const job = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
  const tree = fs.realpathSync(job.tree);
  const groups = new Map();
  const told = {};
  for (const one of job.files) {
    const file = path.join(tree, one.path);
    const compiler = first(tree, file, "node_modules/typescript");
    if (!compiler) {
      told[one.key] = { unread: "no TypeScript compiler lies in the tree after verification.setup: npm install --save-dev typescript, and npm ci in verification.setup" };
      continue;
    }
    const config = first(tree, file, "tsconfig.json");
    const group = `${compiler}\0${config ?? ""}`;
    groups.set(group, [...(groups.get(group) ?? []), { ...one, file, compiler, config }]);
  }
  for (const files of groups.values()) {
    try {
      const ts = require(files[0].compiler);
      const program = ts.createProgram(files.map((one) => one.file), optionsOf(ts, files[0].config));
      for (const one of files) {
        const source = program.getSourceFile(one.file);
        const wrong = source ? program.getSyntacticDiagnostics(source)[0] : undefined;
        if (!source) told[one.key] = { unread: "the compiler did not read it" };
        else if (wrong) {
          const line = source.getLineAndCharacterOfPosition(wrong.start ?? 0).line + 1;
          told[one.key] = { unread: `line ${line}: ${ts.flattenDiagnosticMessageText(wrong.messageText, " ").slice(0, 300)}` };
        } else told[one.key] = new Reader(ts, program, source).read(one.names);
      }
    } catch (error) {
      for (const one of files) told[one.key] ??= { unread: `the compiler stopped: ${String(error && error.message).slice(0, 300)}` };
    }
  }
  fs.writeSync(1, JSON.stringify(told));
}

main();
