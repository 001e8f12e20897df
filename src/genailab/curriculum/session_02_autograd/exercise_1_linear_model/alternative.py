"""s02.1 Linear model for expression: another right way, with sums for the gradients and torch.optim."""

import torch


def predict_expression(features, weights, bias):
    return features @ weights + bias


def mse_gradients(features, expression, weights, bias):
    """Write the gradient as a mean over genes of error times feature."""
    grad = 2 * (predict_expression(features, weights, bias) - expression)  # (genes, 1)
    return (grad * features).mean(dim=0)[:, None], grad.mean(dim=0)


def train_manual(features, expression, weights, bias, learning_rate, steps):
    """Change copies in place."""
    weights, bias = weights.detach().clone(), bias.detach().clone()
    for _ in range(steps):
        gradients = mse_gradients(features, expression, weights, bias)
        for value, gradient in zip((weights, bias), gradients, strict=True):
            value -= learning_rate * gradient
    return weights, bias


weights = torch.randn(10, 1, requires_grad=True)
bias = torch.randn(1, requires_grad=True)


def autograd_gradients(features, expression, weights, bias):
    """Ask for the gradients without keeping them in .grad."""
    weights, bias = weights.detach().requires_grad_(), bias.detach().requires_grad_()
    loss = torch.nn.functional.mse_loss(predict_expression(features, weights, bias), expression)
    return torch.autograd.grad(loss, (weights, bias))


def train_autograd(features, expression, weights, bias, learning_rate, steps):
    """Leave the step to SGD."""
    weights, bias = (torch.nn.Parameter(start.detach().clone()) for start in (weights, bias))
    optimiser = torch.optim.SGD([weights, bias], lr=learning_rate)
    for _ in range(steps):
        optimiser.zero_grad()
        torch.nn.functional.mse_loss(predict_expression(features, weights, bias), expression).backward()
        optimiser.step()
    return weights, bias
