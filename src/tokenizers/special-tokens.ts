/**
 * What special tokens are for, by the names that Hugging Face's `tokenizer_config.json` has for the roles and by the texts
 * that published tokenizers use; of several, the first that a vocabulary has counts.
 */
const textsOfRole = {
  eos_token: ["<|endoftext|>", "</s>", "<eos>", "<|end_of_text|>", "<|eot_id|>", "<|im_end|>", "[EOS]"],
  pad_token: ["[PAD]", "<pad>", "<|pad|>", "<|padding|>", "<|finetune_right_pad_id|>"],
  cls_token: ["[CLS]", "<cls>", "<s>"],
  sep_token: ["[SEP]", "<sep>", "</s>"],
  mask_token: ["[MASK]", "<mask>", "<|mask|>"],
  unk_token: ["[UNK]", "<unk>"],
} as const;

export type SpecialRole = keyof typeof textsOfRole;
export const specialRoles = Object.keys(textsOfRole) as readonly SpecialRole[];

/** Which token plays each role. */
export type SpecialRoles = Readonly<Partial<Record<SpecialRole, string>>>;

/** The roles of a vocabulary's special tokens, as their texts say. A vocabulary without a mask has no `cls` nor `sep` by `<s>`. */
export function rolesByText(tokens: Iterable<string>): SpecialRoles {
  const present = new Set(tokens);
  const roles: Partial<Record<SpecialRole, string>> = {};
  for (const role of specialRoles) {
    const token = textsOfRole[role].find((text) => present.has(text));
    if (token !== undefined) roles[role] = token;
  }
  // Decoders have <s> and </s> too, and read neither before nor after every text; encoders are those that can be masked.
  if (roles.mask_token === undefined && roles.cls_token === "<s>") delete roles.cls_token;
  if (roles.mask_token === undefined && roles.sep_token === "</s>") delete roles.sep_token;
  return roles;
}

/** The ids that the contract of tokenizers names, from the ids of the special tokens. */
export interface SpecialIds {
  readonly eosTokenId: number | undefined;
  readonly padTokenId: number | undefined;
  readonly clsTokenId: number | undefined;
  readonly sepTokenId: number | undefined;
  readonly maskTokenId: number | undefined;
}

export function specialIds(
  specialTokens: Readonly<Record<string, number>>,
  roles: SpecialRoles = rolesByText(Object.keys(specialTokens)),
): SpecialIds {
  const idOf = (token: string | undefined) =>
    token !== undefined && Object.hasOwn(specialTokens, token) ? specialTokens[token] : undefined;
  return {
    eosTokenId: idOf(roles.eos_token),
    padTokenId: idOf(roles.pad_token),
    clsTokenId: idOf(roles.cls_token),
    sepTokenId: idOf(roles.sep_token),
    maskTokenId: idOf(roles.mask_token),
  };
}
