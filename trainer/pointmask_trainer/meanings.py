"""What other programs call our settings, so that a wrong name is answered with the right one."""

MEANINGS = {
    "learning_rate": "optim.lr",
    "base_lr": "optim.lr",
    "optimizer": "optim.name",
    "optimiser": "optim.name",
    "scheduler": "optim.schedule",
    "lr_schedule": "optim.schedule",
    "lr_scheduler": "optim.schedule",
    "wd": "optim.weight_decay",
    "ema": "optim.average",
    "grad_clip": "optim.clip",
    "clip_grad": "optim.clip",
    "warmup_epochs": "optim.warmup",
    "batch_size": "batch",
    "batchsize": "batch",
    "bs": "batch",
    "num_epochs": "epochs",
    "n_epochs": "epochs",
    "max_epochs": "epochs",
    "nepochs": "epochs",
    "model_name": "model.name",
    "net": "model.name",
    "network": "model.name",
    "backbone": "model.name",
    "detector": "model.name",
    "channels": "model.in_channels",
    "input_channels": "model.in_channels",
    "img_norm_cfg": "model.normalisation",
    "normalization": "model.normalisation",
    "crop_size": "augment.crop",
    "patch_size": "augment.crop",
    "patchsize": "augment.crop",
    "img_size": "augment.crop",
    "imgsz": "augment.crop",
    "image_size": "augment.crop",
    "pos_prob": "augment.positive",
    "criterion": "loss.name",
    "loss_name": "loss.name",
    "amp": "run.precision",
    "fp16": "run.precision",
    "bf16": "run.precision",
    "mixed_precision": "run.precision",
    "gpu": "run.device",
    "gpus": "run.device",
    "cuda": "run.device",
    "num_threads": "run.threads",
    "val_every": "run.validate_every",
    "eval_interval": "run.validate_every",
    "val_interval": "run.validate_every",
    "early_stop": "patience",
    "early_stopping": "patience",
    "random_seed": "seed",
    "manual_seed": "seed",
    "tb": "run.tensorboard",
}
"""Name elsewhere to the whole name here."""

NOT_NEEDED = {
    "workers": "all images lie in memory, so that nothing has to load them; run.threads limits torch's",
    "num_workers": "all images lie in memory, so that nothing has to load them; run.threads limits torch's",
    "threshold": "training and validation cut at 0.5; pointmask predict has --threshold",
    "dataset": "the data are the first argument, DATA; --include chooses images by name",
    "dataset_name": "the data are the first argument, DATA; --include chooses images by name",
    "resume": "it is an option: --resume",
    "save_dir": "it is an option: --out",
    "log_dir": "it is an option: --out",
}
"""Settings of other programs that have no counterpart, and why."""


def meant(name: str) -> str:
    """Return what a setting of another program is here, as the end of a sentence; empty if unknown."""
    leaf = name.rpartition(".")[2].lower().replace("-", "_")
    if leaf in MEANINGS:
        return f"here it is {MEANINGS[leaf]}"
    return NOT_NEEDED.get(leaf, "")
