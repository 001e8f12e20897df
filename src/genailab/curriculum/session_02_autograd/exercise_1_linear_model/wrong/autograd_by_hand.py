"""mistake: autograd used"""

import torch


def predict_expression(features, weights, bias):
    return features @ weights + bias


def mse_gradients(features, expression, weights, bias):
    return autograd_gradients(features, expression, weights, bias)


def train_manual(features, expression, weights, bias, learning_rate, steps):
    weights, bias = weights.detach(), bias.detach()
    for _ in range(steps):
        by_weights, by_bias = mse_gradients(features, expression, weights, bias)
        weights = weights - learning_rate * by_weights
        bias = bias - learning_rate * by_bias
    return weights, bias


weights = torch.randn(10, 1, requires_grad=True)
bias = torch.randn(1, requires_grad=True)


def autograd_gradients(features, expression, weights, bias):
    weights, bias = (start.detach().clone().requires_grad_() for start in (weights, bias))
    loss = (predict_expression(features, weights, bias) - expression).square().mean()
    loss.backward()
    return weights.grad, bias.grad


def train_autograd(features, expression, weights, bias, learning_rate, steps):
    weights, bias = (start.detach().clone().requires_grad_() for start in (weights, bias))
    for _ in range(steps):
        loss = (predict_expression(features, weights, bias) - expression).square().mean()
        loss.backward()
        with torch.no_grad():
            weights -= learning_rate * weights.grad
            bias -= learning_rate * bias.grad
        weights.grad.zero_()
        bias.grad.zero_()
    return weights.detach(), bias.detach()
