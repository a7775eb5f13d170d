"""Writes generation.json: what transformers draws tokens from, and what its `generate` writes greedily.

Run: python3 tests/golden/generation.py
"""

import sys

sys.dont_write_bytecode = True
sys.path.append(sys.path.pop(0))  # this folder's safetensors.py would hide the package that transformers needs

import torch
from transformers import GenerationConfig, GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from draws import LCG, Draws, write

torch.set_num_threads(1)

V, LENGTH = 40, 12
ABOUT = {
    "draws": f"{LCG}; s starts at the seed; u = s/2^32 - 0.5; tensors are filled in row-major order.",
    "filters": f"`logits` of case i are {V} numbers 12u of seed 800 + i, and the text so far {LENGTH} ids, (s >>> 8) mod {V}, of "
    "seed 900 + i. `ids` and `probabilities` are of the tokens that are left by the processors that `generate` makes of the "
    "options, in float32.",
    "texts": "The parameter at index i of the model uses seed 1 + i: a matrix is 3u, the weight of a norm "
    "1 + 0.4u, a bias 0.4u. `prompts` were given as one batch, padded on the left. `continued` is what greedy `generate` adds, "
    "in float64; the best logit was always at least 1e-4 above the next.",
}
FILTERS = [
    {},
    {"temperature": 0.7},
    {"temperature": 2.5},
    {"topK": 5},
    {"topK": 1},
    {"topK": 100},
    {"topP": 0.5},
    {"topP": 0.9},
    {"topP": 0.05},
    {"minP": 0.1},
    {"minP": 0.6},
    {"repetitionPenalty": 1.5},
    {"repetitionPenalty": 0.8},
    {"temperature": 1.7, "topK": 20},
    {"temperature": 1.7, "topP": 0.8},
    {"temperature": 3.0, "minP": 0.2},
    {"topK": 10, "topP": 0.7},
    {"topP": 0.95, "minP": 0.05, "temperature": 4.0},
    {"temperature": 2.0, "topK": 15, "topP": 0.9, "minP": 0.02, "repetitionPenalty": 1.3},
    {"temperature": 5.0, "topK": 30, "topP": 0.6, "minP": 0.4, "repetitionPenalty": 2.0},
]
SNAKE = {"topK": "top_k", "topP": "top_p", "minP": "min_p", "repetitionPenalty": "repetition_penalty"}

gpt2 = GPT2Config(vocab_size=V, n_positions=48, n_embd=24, n_layer=2, n_head=3, bos_token_id=None, eos_token_id=None)
llama = LlamaConfig(
    vocab_size=V,
    max_position_embeddings=48,
    hidden_size=24,
    intermediate_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    head_dim=6,
    bos_token_id=None,
    eos_token_id=None,
)


def snake(options: dict) -> dict:
    return {SNAKE.get(name, name): value for name, value in options.items()}


def fill(model):
    for index, (name, parameter) in enumerate(model.named_parameters()):
        is_norm = parameter.dim() == 1 and name.endswith(".weight")
        parameter.data = Draws(1 + index).numbers(tuple(parameter.shape), 0.4 if parameter.dim() == 1 else 3.0, 1.0 if is_norm else 0.0)
    return model.double().eval()


def filters(index: int, options: dict, model) -> dict:
    logits = Draws(800 + index).numbers((1, V), 12).float()
    ids = Draws(900 + index).ids((1, LENGTH), V)
    config = GenerationConfig(do_sample=True, top_k=options.get("topK", 0), **{k: v for k, v in snake(options).items() if k != "top_k"})
    processors = model._get_logits_processor(config, input_ids_seq_length=LENGTH)
    scores = processors(ids, logits)[0]
    left = torch.isfinite(scores).nonzero()[:, 0]
    probabilities = torch.softmax(scores, -1)[left]
    return {"options": options, "ids": left.tolist(), "probabilities": [float(f"{p:.7g}") for p in probabilities.tolist()]}


def text(name: str, model, options: dict) -> dict:
    prompts = [Draws(950 + row).ids((length,), V).tolist() for row, length in enumerate([7, 1, 12, 4])]
    longest = max(map(len, prompts))
    ids = torch.tensor([[0] * (longest - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    config = {"max_new_tokens": 30, "do_sample": False, "pad_token_id": 0, **snake(options)}
    if options:  # The penalty of transformers counts the padding as text: prompts go alone.
        alone = [model.generate(torch.tensor([p]), output_logits=True, return_dict_in_generate=True, **config) for p in prompts]
        continued = [one.sequences[0, len(prompt) :].tolist() for one, prompt in zip(alone, prompts)]
    else:
        out = model.generate(ids, attention_mask=mask, output_logits=True, return_dict_in_generate=True, **config)
        continued = out.sequences[:, longest:].tolist()
        for logits in out.logits:
            best = logits.topk(2).values
            assert (best[:, 0] - best[:, 1]).min() > 1e-4
    return {"model": name, "options": options, "prompts": prompts, "continued": continued}


models = {"gpt2": fill(GPT2LMHeadModel(gpt2)), "llama": fill(LlamaForCausalLM(llama))}
write(
    "generation.json",
    {
        "about": ABOUT,
        "filters": [filters(index, options, models["gpt2"]) for index, options in enumerate(FILTERS)],
        "texts": [text(name, model, options) for name, model in models.items() for options in ({}, {"repetitionPenalty": 1.4})],
    },
)
