using System.Reflection;
using TorchSharp.Modules;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        public interface IModule<T, TResult>
        {
            TResult call(T input1);
        }

        public interface IModule<T1, T2, TResult>
        {
            TResult call(T1 input1, T2 input2);
        }

        /// <summary>
        /// A layer or a network: named parameters, buffers and submodules. Its parameters outlive every dispose scope; they end with
        /// the module.
        /// </summary>
        public partial class Module : IDisposable
        {
            private readonly List<KeyValuePair<string, Module>> submodules = [];
            private readonly List<KeyValuePair<string, (Tensor Tensor, bool Persistent)>> ownBuffers = [];
            private readonly List<KeyValuePair<string, Parameter>> ownParameters = [];
            private bool registered;
            private bool disposed;

            protected Module(string name) => this.name = name;

            ~Module() => Dispose(false);

            protected string name;

            public virtual bool training { get; private set; } = true;

            public virtual string GetName() => name;

            public virtual void train(bool train = true)
            {
                training = train;
                foreach (var (_, child) in submodules) child.train(train);
            }

            public virtual void eval() => train(false);

            public virtual Module apply(Action<Module> fn)
            {
                foreach (var (_, child) in submodules) child.apply(fn);
                fn(this);
                return this;
            }

            public virtual void zero_grad(bool set_to_none = true)
            {
                foreach (var (_, parameter) in named_parameters())
                {
                    if (set_to_none)
                    {
                        parameter.grad = null;
                        continue;
                    }
                    using var grad = parameter.grad;
                    grad?.zero_();
                }
            }

            /// <summary>Registers the modules, parameters and tensors in this object's fields under the fields' names.</summary>
            protected virtual void RegisterComponents()
            {
                if (registered) return;
                registered = true;
                foreach (var field in FieldsOf(GetType()))
                {
                    if (Knows(field.Name)) continue;
                    switch (field.GetValue(this))
                    {
                        case Module module:
                            register_module(field.Name, module);
                            break;
                        case Parameter parameter:
                            register_parameter(field.Name, parameter);
                            break;
                        case Tensor tensor:
                            register_buffer(field.Name, tensor);
                            break;
                    }
                }
            }

            public virtual void register_module(string name, Module submodule)
            {
                if (submodule is null || submodule.disposed)
                {
                    submodules.RemoveAll(m => m.Key == name);
                    return;
                }
                if (string.IsNullOrEmpty(name) || name.Contains('.', StringComparison.Ordinal))
                    throw new ArgumentException($"A module name must be non-empty and without a dot; got '{name}'.", nameof(name));
                if (Find(submodules, name) >= 0) throw new InvalidOperationException($"Sub-module {name} is already registered.");
                submodule.RegisterComponents();
                submodules.Add(new(name, submodule));
            }

            public void add_module(string name, Module module) => register_module(name, module);

            public virtual void register_buffer(string name, Tensor tensor, bool persistent = true)
            {
                ArgumentNullException.ThrowIfNull(tensor);
                Own(name, tensor, persistent);
            }

            public virtual void register_parameter(string name, Parameter param)
            {
                ArgumentNullException.ThrowIfNull(param);
                Own(name, param);
            }

            private protected Parameter? OwnParameter(string key)
            {
                foreach (var (known, parameter) in ownParameters)
                    if (known == key) return parameter;
                return null;
            }

            private protected Tensor? OwnBuffer(string key)
            {
                foreach (var (known, buffer) in ownBuffers)
                    if (known == key) return buffer.Tensor;
                return null;
            }

            private protected void Own(string key, Parameter parameter)
            {
                if (Find(ownParameters, key) >= 0) throw new InvalidOperationException($"Parameter {key} is already registered.");
                parameter.DetachFromDisposeScope();
                ownParameters.Add(new(key, parameter));
            }

            private protected void Own(string key, Tensor buffer, bool persistent = true)
            {
                if (Find(ownBuffers, key) >= 0) throw new InvalidOperationException($"Buffer {key} is already registered.");
                ownBuffers.Add(new(key, (buffer.DetachFromDisposeScope(), persistent)));
            }

            protected void ConditionallyRegisterParameter(string name, Parameter? value) =>
                Replace(ownParameters, name, value is not null, value!);

            protected void ConditionallyRegisterBuffer(string name, Tensor? value, bool persistent = true) =>
                Replace(ownBuffers, name, value is not null, (value!, persistent));

            public void Dispose()
            {
                Dispose(true);
                GC.SuppressFinalize(this);
            }

            protected virtual void Dispose(bool disposing)
            {
                if (!disposing || disposed) return;
                disposed = true;
                foreach (var (_, parameter) in ownParameters) parameter.Dispose();
                foreach (var (_, buffer) in ownBuffers) buffer.Tensor.Dispose();
                foreach (var (_, child) in submodules) child.Dispose();
            }

            private static void Replace<T>(List<KeyValuePair<string, T>> list, string name, bool keep, T value)
            {
                var at = Find(list, name);
                if (at >= 0 && keep) list[at] = new(name, value);
                else if (at >= 0) list.RemoveAt(at);
                else if (keep) list.Add(new(name, value));
            }

            private static int Find<T>(List<KeyValuePair<string, T>> list, string name) => list.FindIndex(p => p.Key == name);

            // The private fields of a base class are listed by the base class only.
            private static IEnumerable<FieldInfo> FieldsOf(Type type)
            {
                var seen = new HashSet<string>(StringComparer.Ordinal);
                for (var current = type; current is not null && current != typeof(Module); current = current.BaseType)
                {
                    foreach (var field in current.GetFields(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance))
                        if (field.DeclaringType != typeof(Module) && seen.Add(field.Name)) yield return field;
                }
            }

            private bool Knows(string field) =>
                Find(submodules, field) >= 0 || Find(ownParameters, field) >= 0 || Find(ownBuffers, field) >= 0;
        }

        public abstract class Module<T, TResult> : Module, IModule<T, TResult>
        {
            protected Module(string name)
                : base(name)
            {
            }

            public abstract TResult forward(T input);

            public TResult call(T input) => forward(input);
        }

        public abstract class Module<T1, T2, TResult> : Module, IModule<T1, T2, TResult>
        {
            protected Module(string name)
                : base(name)
            {
            }

            public abstract TResult forward(T1 input1, T2 input2);

            public TResult call(T1 input1, T2 input2) => forward(input1, input2);
        }
    }
}
