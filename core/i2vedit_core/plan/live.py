"""Counting the bytes of live tensors. On `meta`, where tensors have shapes and no memory, it needs none of what it counts."""

import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import dropout, scaled_dot_product_attention
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode


class LiveBytes(TorchDispatchMode):
    """While active, follows the storage of every tensor that an operator makes, from its birth to its end."""

    def __init__(self, outside: Iterable[Tensor] = ()) -> None:
        """`outside`: tensors that exist already and are not to be counted, such as the weights."""
        super().__init__()  # type: ignore[no-untyped-call]
        self.live, self.peak = 0, 0
        self._sizes = {tensor.untyped_storage()._cdata: 0 for tensor in outside}

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, tuple | list) else (result,):
            if isinstance(tensor, Tensor):
                self._follow(tensor.untyped_storage())
        return result

    def _follow(self, storage: torch.UntypedStorage) -> None:
        address = storage._cdata
        if address in self._sizes:
            return
        self._sizes[address] = storage.nbytes()
        self.live += storage.nbytes()
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self._forget, address)

    def _forget(self, address: int) -> None:
        self.live -= self._sizes.pop(address)


class AsOnCuda(TorchFunctionMode):
    """Attention and dropout in the fused forms that CUDA takes by itself. On `meta`, torch would take those that hold N x N."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        options = dict(kwargs or {})
        if func is scaled_dot_product_attention:
            # Of the fused forms the one that runs on every device; all keep the result and one log-sum-exp per row.
            q, k, v = (*args, *(options[name] for name in ("query", "key", "value")[len(args) :]))[:3]
            return torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(q, k, v)[0]
        if func is dropout and options.get("training", True):
            return torch.native_dropout(args[0], options.get("p", 0.5), True)[0]
        return func(*args, **options)
