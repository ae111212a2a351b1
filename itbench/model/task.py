"""What an agent is asked to do, with what, and within which limits."""

from __future__ import annotations

from pathlib import PurePosixPath

from pydantic import Field

from itbench.model.base import Document, Domain, Model


class Budget(Model):
    """Limits of one trial. Sizes are bytes, times are seconds; None means no limit."""

    wall_seconds: float | None = Field(default=1200.0, gt=0)
    output_bytes: int = Field(default=5_000_000, gt=0, description="size of agent_output.json")
    stdout_bytes: int = Field(default=5_000_000, gt=0, description="what is kept of each of stdout and stderr")
    workspace_bytes: int = Field(default=1_000_000_000, gt=0)
    processes: int = Field(default=512, gt=0)
    memory_bytes: int | None = Field(default=8_000_000_000, gt=0)
    cpu_seconds: int | None = Field(default=None, gt=0, description="processor time of each process")


class Task(Document):
    """One question to an agent. Paths are as the agent sees them; nothing here names the scenario or its answer."""

    id: str = Field(description="random per trial")
    domain: Domain
    instructions: str = Field(description="the task in Markdown, including the output contract")
    input_dir: PurePosixPath | None = Field(default=None, description="read-only snapshot; None if the scenario has no data")
    output_file: str = Field(default="agent_output.json", description="file name inside the workspace")
    tools: tuple[str, ...] = ()
    budget: Budget = Budget()
    seed: int = 0

    def words(self, folder: str) -> str:
        """The instructions for somebody to whom the snapshot goes by another name, `folder`."""
        return self.instructions.replace(str(self.input_dir), folder) if self.input_dir else self.instructions
