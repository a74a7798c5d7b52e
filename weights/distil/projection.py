"""Q with F ≈ Q f, by least squares."""
import torch


def positions(activation):
    """(N, C, H, W) to (N·H·W, C)."""
    return activation.permute(0, 2, 3, 1).reshape(-1, activation.shape[1])


def solve_projection(student_moment, cross_moment):
    """The Q that minimises Σ‖F − Q f‖², from Σ f fᵀ and Σ F fᵀ; slightly ridged."""
    ridge = 1e-6 * student_moment.diagonal().mean() * torch.eye(len(student_moment)).to(student_moment)
    return torch.linalg.solve(student_moment + ridge, cross_moment.t()).t()
