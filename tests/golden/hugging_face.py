"""Writes llama.json, bert.json and gpt2-masks.json: tiny models of transformers, forward and backward in float64.

Run: python3 tests/golden/hugging_face.py
"""

import json
import sys

sys.dont_write_bytecode = True
sys.path.append(sys.path.pop(0))  # this folder's safetensors.py would hide the package that transformers needs

import torch
import torch.nn.functional as F
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
)

from draws import LCG, Draws, base64_float32, number, numbers, write

torch.set_num_threads(1)

V, T = 19, 7
ABOUT = {
    "draws": f"{LCG}; s starts at the seed; u = s/2^32 - 0.5; tensors are filled in row-major order.",
    "weights": "The parameter at index i of `parameters` uses seed 1 + i: a matrix is 0.4*u, the weight of a norm 1 + 0.4*u, a bias "
    "0.4*u; rounded to float32.",
    "inputs": f"`inputIds` are drawn from seed 500, (s >>> 8) mod {V}. `attentionMask` has 0 where there is padding, else the "
    "number of the document; transformers was given the matrix of who sees whom that follows from it (equal numbers do; "
    "a causal model's only what came before), and where there is one document a row, a second time its own mask of zeros and "
    "ones, with the same logits at every position that counts.",
    "loss": "Sum over the positions that count (all rows of a classifier) of the logits times weights 2*u, drawn from "
    "seed 600 in the order of the logits; where a position does not count its weights are zero.",
    "results": "In float64. `logits` at positions that do not count are 0. `gradients` holds, for each parameter, the gradient's "
    "l2 norm, its product with weights 2*u drawn from seed 700 + i, and its first three elements.",
    "config": "What transformers makes of the configuration: `to_dict()`.",
}

PADDED = [[1] * T, [1] * 4 + [0] * 3]
PACKED = [[1, 1, 1, 2, 2, 2, 2], [1, 1, 2, 3, 3, 0, 0]]
PACKED_POSITIONS = [[0, 1, 2, 0, 1, 2, 3], [0, 1, 0, 0, 1, 0, 0]]
TYPES = [[0, 0, 0, 1, 1, 1, 1], [0, 1, 1, 1, 0, 0, 0]]


def fill(model) -> None:
    for index, (name, parameter) in enumerate(model.named_parameters()):
        is_norm = parameter.dim() == 1 and name.endswith(".weight")
        parameter.data = Draws(1 + index).numbers(tuple(parameter.shape), 0.4, 1.0 if is_norm else 0.0)


def seen(mask: torch.Tensor, causal: bool) -> torch.Tensor:
    """The additive matrix (B, 1, T, T) of transformers."""
    visible = mask[:, :, None] == mask[:, None, :]
    if causal:
        visible = visible & torch.tril(torch.ones(T, T, dtype=torch.bool))
    return torch.where(visible, 0.0, -1e9).to(torch.float64)[:, None]


def case(name, model, causal, mask=None, positions=None, types=None) -> dict:
    ids = Draws(500).ids((2, T), V)
    given = {"input_ids": ids}
    if positions is not None:
        given["position_ids"] = torch.tensor(positions)
    if types is not None:
        given["token_type_ids"] = torch.tensor(types)
    counts = torch.ones(2, T)
    if mask is not None:
        numbers_of = torch.tensor(mask)
        counts = (numbers_of > 0).to(torch.float64)
        given["attention_mask"] = seen(numbers_of, causal)
    model.zero_grad()
    logits = model(**given).logits
    if logits.dim() == 3:
        logits = logits * counts[:, :, None]
    if mask is not None and numbers_of.max() == 1:
        own = model(**(given | {"attention_mask": numbers_of})).logits
        own = own * counts[:, :, None] if own.dim() == 3 else own
        assert torch.allclose(own, logits, rtol=1e-9, atol=1e-9), name
    weights = Draws(600).numbers(tuple(logits.shape), 2.0)
    loss = (logits * weights).sum()
    loss.backward()
    gradients = [
        {
            "l2": number(parameter.grad.norm()),
            "product": number((parameter.grad * Draws(700 + index).numbers(tuple(parameter.shape), 2.0)).sum()),
            "first": numbers(parameter.grad.flatten()[:3]),
        }
        for index, parameter in enumerate(model.parameters())
    ]
    return {
        "name": name,
        "attentionMask": mask,
        "positionIds": positions,
        "tokenTypeIds": types,
        "logits": base64_float32(logits),
        "loss": number(loss),
        "gradients": gradients,
    }


def described(title, options, model, causal, cases) -> dict:
    model = model.double().eval()
    model.set_attn_implementation("eager")
    fill(model)
    return {
        "model": title,
        "options": options,
        "config": json.loads(json.dumps(model.config.to_dict())),
        "parameters": [{"name": name, "shape": list(p.shape)} for name, p in model.named_parameters()],
        "cases": [case(name, model, causal, **given) for name, given in cases.items()],
    }


CAUSAL = {
    "one document a row": {},
    "padding at the end": {"mask": PADDED},
    "documents packed into rows": {"mask": PACKED, "positions": PACKED_POSITIONS},
    "positions of their own": {"positions": [[3, 4, 5, 6, 7, 8, 9], [0, 1, 2, 3, 4, 5, 6]]},
}
ENCODER = CAUSAL | {
    "pairs of texts, with padding": {"mask": PADDED, "types": TYPES},
}


def small(**more):
    return {"vocabSize": V, "hiddenSize": 8, "numHiddenLayers": 2, "maxPositionEmbeddings": 10} | more


def llama(title, options, **config):
    made = LlamaConfig(
        vocab_size=V,
        hidden_size=8,
        num_hidden_layers=2,
        max_position_embeddings=10,
        **config,
    )
    return described(title, small(**options), LlamaForCausalLM(made), True, CAUSAL)


def bert(model, title, options, **config):
    made = BertConfig(
        vocab_size=V,
        hidden_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=12,
        max_position_embeddings=10,
        pad_token_id=None,
        **config,
    )
    given = small(numAttentionHeads=2, intermediateSize=12, **options)
    return described(title, given, model(made), False, ENCODER)


write(
    "llama.json",
    {
        "about": ABOUT,
        "models": [
            llama(
                "grouped-query attention",
                {"numAttentionHeads": 4, "numKeyValueHeads": 2, "intermediateSize": 12},
                num_attention_heads=4,
                num_key_value_heads=2,
                intermediate_size=12,
            ),
            llama(
                "tied embeddings, other wavelengths, wide heads, one key head",
                {
                    "numAttentionHeads": 2,
                    "numKeyValueHeads": 1,
                    "headDim": 6,
                    "ropeTheta": 50,
                    "rmsNormEps": 0.01,
                    "tieWordEmbeddings": True,
                },
                num_attention_heads=2,
                num_key_value_heads=1,
                head_dim=6,
                intermediate_size=32,
                rope_parameters={"rope_type": "default", "rope_theta": 50},
                rms_norm_eps=0.01,
                tie_word_embeddings=True,
            ),
        ],
    },
)
write(
    "bert.json",
    {
        "about": ABOUT,
        "models": [
            bert(BertForMaskedLM, "masked language model", {}),
            bert(
                BertForSequenceClassification,
                "classifier",
                {"labels": ["bad", "fair", "good"], "layerNormEps": 0.01},
                layer_norm_eps=0.01,
                id2label={0: "bad", 1: "fair", 2: "good"},
                label2id={"bad": 0, "fair": 1, "good": 2},
            ),
        ],
    },
)
write(
    "gpt2-masks.json",
    {
        "about": ABOUT,
        "models": [
            described(
                "GPT-2",
                small(numAttentionHeads=2),
                GPT2LMHeadModel(GPT2Config(vocab_size=V, n_embd=8, n_layer=2, n_head=2, n_positions=10)),
                True,
                CAUSAL,
            )
        ],
    },
)
