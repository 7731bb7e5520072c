// Several processes that train one model: c10d's process group over Gloo, and batch normalisation over the batch of all of them.
// Gloo moves memory of the processor; what lies on a GPU goes there and back. Without Gloo's headers there is no group.
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include <torch/csrc/autograd/custom_function.h>

#include "shim.h"

#if __has_include(<gloo/context.h>)
#define USE_C10D_GLOO
#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

struct Group {
    c10::intrusive_ptr<c10d::Store> store;
    c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo;
    int rank, size;

    // What fails in here fails because of another process, also in the middle of a backward pass: the text is known to ProcessGroup.cs.
    template <class Call>
    void together(Call&& call) {
        try {
            call()->wait();
        } catch (const std::exception& e) {
            TORCH_CHECK(false, "the other processes are lost: ", e.what());
        }
    }

    void sum(Tensor& host) {
        std::vector<Tensor> one{host};
        together([&] { return gloo->allreduce(one); });
    }

    // In place; one message for all tensors of a type. What has gaps or lies on a GPU is copied there and back.
    void sum_all(std::vector<Tensor>& tensors) {
        if (tensors.size() == 1 && tensors[0].device().is_cpu() && tensors[0].is_contiguous()) return sum(tensors[0]);
        std::vector<Tensor> flat;
        for (auto& t : tensors) flat.push_back(t.detach().reshape({-1}));
        Tensor whole = at::cat(flat).cpu();
        sum(whole);
        int64_t at = 0;
        for (auto& t : tensors) {
            t.copy_(whole.narrow(0, at, t.numel()).view(t.sizes()));
            at += t.numel();
        }
    }

    void broadcast(Tensor& tensor) {
        std::vector<Tensor> one{tensor.detach().cpu().contiguous()};
        together([&] { return gloo->broadcast(one); });
        if (rank != 0) tensor.copy_(one[0]);
    }

    // [n] of each process -> [size, n], the same in all of them.
    Tensor gather(const Tensor& own) {
        Tensor all = at::zeros({size, own.numel()}, own.options().device(at::kCPU));
        all[rank].copy_(own);
        sum(all);
        return all.to(own.device());
    }
};

// Batch normalisation whose batch is that of all processes. Only sums over channels travel: their means and variances forwards, the two
// sums that the gradient needs backwards. The gradients of weight and bias are this process's part, as those of every other parameter.
struct SynchronisedBatchNorm : torch::autograd::Function<SynchronisedBatchNorm> {
    static Variable forward(AutogradContext* context, const Tensor& x, const c10::optional<Tensor>& weight, const c10::optional<Tensor>& bias,
                            const Tensor& running_mean, const Tensor& running_var, double momentum, double eps, Group* group) {
        int64_t channels = x.size(1);
        auto [own_mean, own_var] = at::batch_norm_update_stats(x, {}, {}, 0);
        Tensor own_count = at::full({1}, static_cast<double>(x.numel() / channels), own_mean.options());
        Tensor all = group->gather(at::cat({own_mean, own_var, own_count}));
        // Means of means and of variances, by Chan et al.: sums of squares would lose digits.
        Tensor counts = all.narrow(1, 2 * channels, 1);
        Tensor means = all.narrow(1, 0, channels);
        double count = counts.sum().item<double>();
        Tensor mean = (means * counts).sum(0) / count;
        Tensor var = ((all.narrow(1, channels, channels) + (means - mean).square()) * counts).sum(0) / count;
        if (running_mean.defined()) running_mean.mul_(1 - momentum).add_(mean, momentum);
        if (running_var.defined()) running_var.mul_(1 - momentum).add_(var, momentum * count / std::max(1.0, count - 1));

        Tensor w = weight.value_or(Tensor());
        context->save_for_backward({x, w, mean, var});
        context->saved_data["eps"] = eps;
        context->saved_data["count"] = count;
        context->saved_data["group"] = reinterpret_cast<int64_t>(group);
        return std::get<0>(at::native_batch_norm(x, weight, bias, mean, var, false, 0, eps));
    }

    static variable_list backward(AutogradContext* context, variable_list outputs) {
        auto saved = context->get_saved_variables();
        Tensor x = saved[0], weight = saved[1], mean = saved[2], var = saved[3], dy = outputs[0];
        double eps = context->saved_data["eps"].toDouble(), count = context->saved_data["count"].toDouble();
        auto group = reinterpret_cast<Group*>(context->saved_data["group"].toInt());
        int64_t channels = x.size(1);

        // As if mean and variance were constants: sum of dy · x̂ and sum of dy over the own images.
        auto [_, own_dot, own_sum] = at::native_batch_norm_backward(dy, x, weight, mean, var, {}, {}, false, eps, {false, true, true});
        Tensor sums = group->gather(at::cat({own_dot, own_sum})).sum(0) / count;
        Tensor mean_dot = sums.narrow(0, 0, channels), mean_sum = sums.narrow(0, channels, channels);

        // dx = w/σ (dy - mean dy - x̂ mean(dy · x̂)), with x̂ = (x - μ)/σ: per channel, dx = a dy + b x + c.
        Tensor inverse = (var + eps).rsqrt();
        Tensor a = weight.defined() ? inverse * weight : inverse;
        Tensor b = -a * inverse * mean_dot;
        Tensor c = -a * mean_sum - b * mean;
        std::vector<int64_t> shape(x.dim(), 1);
        shape[1] = channels;
        Tensor dx = at::mul(dy, a.view(shape)).addcmul_(x, b.view(shape)).add_(c.view(shape));
        bool affine = weight.defined();
        return {dx, affine ? own_dot : Tensor(), affine ? own_sum : Tensor(), Tensor(), Tensor(), Tensor(), Tensor(), Tensor()};
    }
};

}  // namespace

// Waits until all have come, or *cancelled. A path is a file that all can write, an empty one a TCP store at host:port, which rank 0 opens unless it is
// hosted elsewhere. The interface is what this process listens on: a name such as eth0; an empty one is that of this machine's host name.
API dml_group_join(const char* path, const char* host, int32_t port, int32_t hosted, const char* network, int32_t rank, int32_t size, int64_t meet_ms, int64_t timeout_ms,
                   const volatile int32_t* cancelled, void** result) {
    return guarded([&] {
        auto timeout = std::chrono::milliseconds(timeout_ms), meet = std::chrono::milliseconds(meet_ms);
        auto group = std::make_unique<Group>();
        group->rank = rank;
        group->size = size;
        if (*path) {
            group->store = c10::make_intrusive<c10d::FileStore>(path, size);
        } else {
            c10d::TCPStoreOptions options;
            options.port = static_cast<uint16_t>(port);
            options.isServer = rank == 0 && !hosted;
            options.waitWorkers = false;
            options.timeout = meet;
            group->store = c10::make_intrusive<c10d::TCPStore>(host, options);
        }
        group->store->setTimeout(timeout);
        TORCH_CHECK(group->store->add("dml/rank/" + std::to_string(rank), 1) == 1, "the group has a process of rank ", rank, " already");

        std::vector<std::string> ranks;
        for (int32_t i = 0; i < size; i++) ranks.push_back("dml/rank/" + std::to_string(i));
        auto until = std::chrono::steady_clock::now() + meet;
        while (!group->store->check(ranks)) {
            TORCH_CHECK(!*cancelled, "cancelled");
            TORCH_CHECK(std::chrono::steady_clock::now() < until, "not all have come");
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }

        auto options = c10d::ProcessGroupGloo::Options::create(timeout);
        options->threads = 1;  // one thing at a time
        std::string where = network;
        options->devices.push_back(where.empty() ? c10d::ProcessGroupGloo::createDefaultDevice()
                                   : where == "loopback" ? c10d::ProcessGroupGloo::createDeviceForHostname("127.0.0.1")
                                                         : c10d::ProcessGroupGloo::createDeviceForInterface(where));
        group->gloo = c10::make_intrusive<c10d::ProcessGroupGloo>(group->store, rank, size, options);
        *result = group.release();
    });
}

API dml_group_release(void* group) { return guarded([&] { delete static_cast<Group*>(group); }); }

API dml_group_sum(void* group, void* const* handles, int32_t count) {
    return guarded([&] {
        c10::NoGradGuard no_grad;
        auto tensors = borrow_all(handles, count);
        static_cast<Group*>(group)->sum_all(tensors);
    });
}

API dml_group_broadcast(void* group, void* handle) {
    return guarded([&] {
        c10::NoGradGuard no_grad;
        auto tensor = borrow(handle);
        static_cast<Group*>(group)->broadcast(tensor);
    });
}

API dml_group_batch_norm(void* group, void* x, void* weight, void* bias, void* running_mean, void* running_var, double momentum, double eps, void** result) {
    return guarded([&] {
        auto optional = [](void* handle) { return handle ? c10::optional<at::Tensor>(borrow(handle)) : c10::nullopt; };
        *result = release(SynchronisedBatchNorm::apply(
            borrow(x), optional(weight), optional(bias), borrow(running_mean), borrow(running_var), momentum, eps, static_cast<Group*>(group)));
    });
}

#else

namespace {

const char* missing() {
    return "This build of the native library cannot join processes: Gloo's headers were not there when it was built. "
           "apt-get install libgloo-dev and build again, or train with one process.";
}

}  // namespace

API dml_group_join(const char*, const char*, int32_t, int32_t, const char*, int32_t, int32_t, int64_t, int64_t, const volatile int32_t*, void**) { return missing(); }
API dml_group_release(void*) { return missing(); }
API dml_group_sum(void*, void* const*, int32_t) { return missing(); }
API dml_group_broadcast(void*, void*) { return missing(); }
API dml_group_batch_norm(void*, void*, void*, void*, void*, void*, double, double, void**) { return missing(); }

#endif
