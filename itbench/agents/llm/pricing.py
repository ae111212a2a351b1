"""What a reply cost, by the list prices of genai-prices. A model that it does not know costs an unknown amount."""

from __future__ import annotations

from itbench.agents.llm.chat import Tokens


def price(model: str, tokens: Tokens | None, base_url: str | None) -> float | None:
    """US dollars, None if there is no price for the model or no count of tokens.

    Args:
        model: as the endpoint names it.
        tokens: its own count.
        base_url: tells the provider; an address that is none's leaves the model's name to tell.
    """
    if tokens is None:
        return None
    from genai_prices import Usage, calc_price

    usage = Usage(
        input_tokens=tokens.prompt_tokens, output_tokens=tokens.completion_tokens, cache_read_tokens=tokens.cached or 0
    )
    for address in (base_url, None):
        try:
            calculated = calc_price(usage, model, provider_api_url=address)
        except (LookupError, ValueError):
            continue
        return float(calculated.total_price)
    return None


def is_priced(model: str, base_url: str | None) -> bool:
    """Whether there is a price for the model."""
    return price(model, Tokens(), base_url) is not None
