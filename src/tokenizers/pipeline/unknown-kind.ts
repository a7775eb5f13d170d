/** What is said of a step whose `type` is none of those that are known. */
export function unknownKind(noun: string): (issue: { readonly input?: unknown }) => string {
  return ({ input }) => {
    const type =
      typeof input === "object" && input !== null ? (input as { readonly type?: unknown }).type : input;
    return `${JSON.stringify(type) ?? "nothing"} is a kind of ${noun} that \`hf\` does not know`;
  };
}
