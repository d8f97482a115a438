"""The recipe `article` as a plain PyTorch script, with the memory layout that suits a CPU (channels last).

Usage: python benchmarks/plain_torch.py ARRAYS.npz EPOCHS MODEL.pt

What it says is what `benchmarks/plain_keras.py` says. Batch norm's momentum and epsilon, Adam's epsilon
and the initial weights are Keras's.
"""

import sys
import time

import numpy as np
import torch
from torch import nn

BATCH_SIZE = 128
# Adam's learning rate, epochs without a lower loss before it is halved, and before training stops.
LEARNING_RATE, PATIENCE, STOPPING_PATIENCE = 0.001, 2, 3


def network() -> nn.Sequential:
    """Build the network `article`; it returns logits."""
    norm = {"eps": 0.001, "momentum": 0.01}
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3),
        nn.ReLU(),
        nn.BatchNorm2d(32, **norm),
        nn.MaxPool2d(2),
        nn.Dropout(0.25),
        nn.Conv2d(32, 64, 3),
        nn.ReLU(),
        nn.BatchNorm2d(64, **norm),
        nn.MaxPool2d(2),
        nn.Dropout(0.25),
        nn.Flatten(),
        nn.Linear(1600, 128),
        nn.ReLU(),
        nn.BatchNorm1d(128, **norm),
        nn.Dropout(0.5),
        nn.Linear(128, 10),
    )
    for layer in model:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return model.to(memory_format=torch.channels_last)


def prepared(images: np.ndarray) -> torch.Tensor:
    """Turn uint8 images (N, H, W) into float32 (N, 1, H, W) in [0, 1]."""
    scaled = torch.from_numpy(images[:, None].astype("float32") / 255)
    return scaled.contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def measured(model: nn.Sequential, images: torch.Tensor, labels: torch.Tensor) -> tuple[float, float]:
    """Return the mean cross-entropy and the accuracy."""
    model.eval()
    logits = torch.cat([model(part) for part in images.split(256)])
    loss = nn.functional.cross_entropy(logits, labels)
    return loss.item(), (logits.argmax(1) == labels).float().mean().item()


def train_epoch(
    model: nn.Sequential, optimizer: torch.optim.Adam, images: torch.Tensor, labels: torch.Tensor
) -> None:
    """Take a step for each batch, in a new order."""
    model.train()
    for chosen in torch.randperm(len(labels)).split(BATCH_SIZE):
        optimizer.zero_grad(set_to_none=True)
        batch = images[chosen].contiguous(memory_format=torch.channels_last)
        nn.functional.cross_entropy(model(batch), labels[chosen]).backward()
        optimizer.step()


def main() -> None:
    """Train, save, and measure."""
    arrays, epochs, path = sys.argv[1:]
    with np.load(arrays) as raw:
        images, test_images = prepared(raw["x_train"]), prepared(raw["x_test"])
        labels, test_labels = (torch.from_numpy(raw[name].astype("int64")) for name in ("y_train", "y_test"))
    cut = len(labels) * 4 // 5
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), LEARNING_RATE, eps=1e-7, fused=True)
    best, best_weights, waited, since_best = float("inf"), model.state_dict(), 0, 0
    for epoch in range(int(epochs)):
        started = time.monotonic()
        train_epoch(model, optimizer, images[:cut], labels[:cut])
        loss, accuracy = measured(model, images[cut:], labels[cut:])
        seconds = time.monotonic() - started
        print(f"epoch {epoch + 1}  val_accuracy {accuracy:.4f}  {seconds:.1f} s", flush=True)
        if loss < best:
            best, waited, since_best = loss, 0, 0
            best_weights = {name: value.clone() for name, value in model.state_dict().items()}
            continue
        waited, since_best = waited + 1, since_best + 1
        if waited == PATIENCE:
            optimizer.param_groups[0]["lr"] *= 0.5
            waited = 0
        if since_best == STOPPING_PATIENCE:
            break
    model.load_state_dict(best_weights)
    torch.save(model.state_dict(), path)
    print("saved", flush=True)
    print(f"test_accuracy {measured(model, test_images, test_labels)[1]:.4f}", flush=True)


if __name__ == "__main__":
    main()
