// Rooms by floor (see docs/architecture.md): a room imports only from rooms below it, never upward, never in a circle.
const floors = [
  ["packages"],
  ["registry"],
  ["tensor"],
  ["runtime"],
  ["nn"],
  ["optim"],
  ["tokenizers"],
  ["metrics"],
  ["data-loaders"],
  ["models"],
  ["trainers"],
  ["tracking"],
  ["run"],
  ["testing"],
  ["plugins"],
  ["cli", "faces"],
];

const above = (index) => floors.slice(index + 1).flat();

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    ...floors.slice(0, -1).map((rooms, index) => ({
      name: `${rooms.join("-")}-reaches-upward`,
      comment: "A room imports only from rooms below it.",
      severity: "error",
      from: { path: `^src/(${rooms.join("|")})/` },
      to: { path: `^src/(${above(index).join("|")})/` },
    })),
    {
      name: "packages-knows-no-other-room",
      severity: "error",
      from: { path: "^src/packages/" },
      to: { path: "^src/(?!packages/)" },
    },
    {
      name: "registry-knows-packages-alone",
      severity: "error",
      from: { path: "^src/registry/" },
      to: { path: "^src/(?!(registry|packages)/)" },
    },
    {
      name: "tensor-knows-no-registry",
      comment: "The engine stands by itself.",
      severity: "error",
      from: { path: "^src/(tensor|runtime|nn|optim)/" },
      to: { path: "^src/(registry|packages)/" },
    },
    {
      name: "no-circles",
      comment:
        "Two files that need each other are one file, or share a third. Types and lazy imports may point back.",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only", "dynamic-import"] } },
    },
    {
      name: "face-is-one-way",
      comment: "Nothing inside imports the public faces.",
      severity: "error",
      from: { path: "^src/(?!faces/)" },
      to: { path: "^src/faces/" },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: { extensions: [".ts", ".js", ".json"] },
  },
};
