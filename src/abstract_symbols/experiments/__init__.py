"""The paper's grids of runs and ours: one module per chapter, named like it, each with its EXPERIMENTS."""

from . import (
    diverse_data,
    harder_relations,
    identity_heads,
    inverse_scaling,
    kernel_to_network,
    learning_from_n,
    mlps_cannot,
    perplexity,
    pretraining,
    same_different,
    sensitivity,
    symbolic_programs,
    template_matrix,
    transformer_kernel,
    two_parameters,
    which_repair,
    why_copying_fails,
)

EXPERIMENTS = {
    e.name: e
    for chapter in (
        same_different,
        mlps_cannot,
        transformer_kernel,
        template_matrix,
        learning_from_n,
        kernel_to_network,
        two_parameters,
        harder_relations,
        why_copying_fails,
        inverse_scaling,
        symbolic_programs,
        which_repair,
        diverse_data,
        sensitivity,
        perplexity,
        identity_heads,
        pretraining,
    )
    for e in chapter.EXPERIMENTS
}
